export default {
  newer: "A new version of Orvale is available.",
  storage:
    "This browser cannot store anything: messages that wait to be sent are lost when you close the page.",
};
