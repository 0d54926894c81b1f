export default {
  emoji: "Emoji",
  findEmoji: "Find an emoji",
  noEmoji: "No emoji found.",
  presence: { online: "Online", away: "Away", busy: "Busy", offline: "Offline" },
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  saved: "Saved",
  failed: "That did not work: {{reason}}",
  notCopied: "The browser did not allow copying. Select the text and copy it yourself.",
  offline: "the server cannot be reached",
};
