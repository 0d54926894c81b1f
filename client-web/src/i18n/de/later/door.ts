export default {
  invited: {
    direct: "{{name}} möchte mit Ihnen schreiben.",
    group: "{{name}} lädt Sie in diese Gruppe ein.",
    channel: "{{name}} lädt Sie in diesen Kanal ein.",
  },
  ignore: "Ablehnen und {{name}} ignorieren",
  waiting: "Sie haben um Aufnahme gebeten. Sobald dort jemand zustimmt, sind Sie dabei.",
  knock: "Sie sind noch nicht in diesem Kanal. Bitten Sie seine Moderation um Aufnahme.",
  public: "Sie sind noch nicht in diesem Kanal. Alle können beitreten.",
  space: "Sie sind noch nicht in diesem Kanal. Mitglieder Ihrer Organisation können beitreten.",
  removed: "{{name}} hat Sie aus dieser Unterhaltung entfernt.",
  banned:
    "{{name}} hat Sie aus dieser Unterhaltung ausgeschlossen. Sie können zurück, wenn jemand dort den Ausschluss aufhebt.",
  reason: "Grund: {{reason}}",
  join: "Dem Kanal beitreten",
  ask: "Um Aufnahme bitten",
  back: "Zurück zu den Unterhaltungen",
};
