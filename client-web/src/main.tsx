import "./theme/fonts.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { paintGround } from "./app/providers";
import { restored } from "./app/SessionGate";
import { startTexts } from "./i18n";
import { mayBeHere } from "./matrix/session";

/** So long, in ms, the first picture waits for the rooms of the last visit. */
const PATIENCE = 500;

startTexts();
paintGround();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has an element #root");
const draw = () => {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
};
// An empty frame that is drawn for an instant takes the time of what it waits for.
if (mayBeHere()) void Promise.race([restored, new Promise((done) => setTimeout(done, PATIENCE))]).then(draw);
else draw();
