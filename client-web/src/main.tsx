import "./theme/fonts.css";

// First, for what it asks the browser for is read while the rest of this begins.
import { restored } from "./app/restored";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { paintGround } from "./app/providers";
import { languageFor, speak, startTexts } from "./i18n";
import { mayBeHere } from "./matrix/session";
import { preferences } from "./preferences/store";

/** So long, in ms, the first picture waits for the rooms of the last visit; and for the login page, which a slow line brings late. */
const PATIENCE = mayBeHere() ? 500 : 10_000;

startTexts();
paintGround();
// Words of another language, in the first picture already; without them it is in English.
const spoken = speak(languageFor(preferences.get().effective.language)).catch(() => undefined);
const root = document.getElementById("root");
if (!root) throw new Error("index.html has an element #root");
const draw = () => {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
};
// Nothing is drawn before there is something to see, a frame without rooms neither: until then the mark of index.html stands there.
void Promise.race([Promise.all([restored, spoken]), new Promise((done) => setTimeout(done, PATIENCE))]).then(
  draw,
);
