import "./theme/fonts.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { startTexts } from "./i18n";

startTexts();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has an element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
