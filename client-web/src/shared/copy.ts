import type { TFunction } from "i18next";

import { alert, tell } from "../components/Announcer";

/** Puts a text where it can be pasted from, and says so: or that it could not be done, for browsers may refuse. */
export async function copy(text: string, done: string, t: TFunction): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell(done);
  } catch {
    // Refused; or, without a secure connection, not there at all: the way from before there was one.
    if (copyByCommand(text)) tell(done);
    else alert(t("common.notCopied"));
  }
}

/** By a selection, which the page gets back afterwards. */
function copyByCommand(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // Refused too.
  }
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return copied;
}
