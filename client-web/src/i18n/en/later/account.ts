export default {
  wrong: "Wrong password.",
  password: {
    title: "Password",
    change: "Change password",
    old: "Your password",
    new: "New password",
    again: "Repeat the new password",
    others: "Log out all other devices",
    differ: "the two new passwords do not match",
    done: "Password changed.",
  },
  deactivate: {
    title: "Deactivate account",
    text: "Nobody can log in to it any more, and its name is never given to anyone else.",
    warning: "This cannot be undone. You leave all conversations, on all devices.",
    type: "Type {{userId}} to confirm",
    erase: "Hide my messages from people who join later",
    open: "Deactivate for good",
  },
};
