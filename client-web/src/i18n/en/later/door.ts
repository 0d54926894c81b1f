export default {
  invited: {
    direct: "{{name}} wants to chat with you.",
    group: "{{name}} invites you to this group.",
    channel: "{{name}} invites you to this channel.",
  },
  ignore: "Decline and ignore {{name}}",
  waiting: "You asked to join. You will be let in as soon as somebody there agrees.",
  knock: "You are not in this channel yet. Ask its moderators to let you in.",
  public: "You are not in this channel yet. Everybody can join.",
  space: "You are not in this channel yet. Members of your organisation can join.",
  removed: "{{name}} removed you from this conversation.",
  banned: "{{name}} banned you from this conversation. You can come back when somebody there lifts the ban.",
  reason: "Reason: {{reason}}",
  join: "Join the channel",
  ask: "Ask to join",
  back: "Back to the conversations",
};
