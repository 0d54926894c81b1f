export default {
  emoji: "Emoji",
  findEmoji: "Emoji suchen",
  noEmoji: "Kein Emoji gefunden.",
  presence: { online: "Online", away: "Abwesend", busy: "Beschäftigt", offline: "Offline" },
  close: "Schließen",
  cancel: "Abbrechen",
  save: "Speichern",
  saved: "Gespeichert",
  failed: "Das hat nicht geklappt: {{reason}}",
  notCopied: "Der Browser hat das Kopieren nicht erlaubt. Markieren und kopieren Sie den Text selbst.",
  offline: "der Server ist nicht erreichbar",
};
