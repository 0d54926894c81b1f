export default {
  text: "Find the people and channels you work with.",
  people: "Find people",
  peopleText: "Write to a colleague, or to several in a group.",
  channels: "Browse channels",
  channelsText: "Join what matters to you, or create your own.",
  listed: "Channels you can join",
  all: "All channels",
};
