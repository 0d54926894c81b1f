export default {
  wrong: "Das Passwort stimmt nicht.",
  password: {
    title: "Passwort",
    change: "Passwort ändern",
    old: "Ihr Passwort",
    new: "Neues Passwort",
    again: "Neues Passwort wiederholen",
    others: "Alle anderen Geräte abmelden",
    differ: "die beiden neuen Passwörter stimmen nicht überein",
    done: "Passwort geändert.",
  },
  deactivate: {
    title: "Konto deaktivieren",
    text: "Niemand kann sich mehr damit anmelden, und sein Name wird nie an jemand anderen vergeben.",
    warning: "Das lässt sich nicht rückgängig machen. Sie verlassen alle Unterhaltungen, auf allen Geräten.",
    type: "Zur Bestätigung {{userId}} eingeben",
    erase: "Meine Nachrichten vor allen verbergen, die später dazukommen",
    open: "Endgültig deaktivieren",
  },
};
