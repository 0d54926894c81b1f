export default {
  newer: "Eine neue Version von Orvale ist da.",
  storage:
    "Dieser Browser kann nichts speichern: Was noch zu senden ist, geht beim Schließen der Seite verloren.",
};
