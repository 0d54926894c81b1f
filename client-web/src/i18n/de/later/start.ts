export default {
  text: "Finden Sie die Menschen und Kanäle, mit denen Sie arbeiten.",
  people: "Personen finden",
  peopleText: "Schreiben Sie jemandem, oder mehreren in einer Gruppe.",
  channels: "Kanäle ansehen",
  channelsText: "Treten Sie bei, wo Sie dabei sein wollen, oder legen Sie einen an.",
  listed: "Kanäle, denen Sie beitreten können",
  all: "Alle Kanäle",
};
