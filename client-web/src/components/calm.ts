import { useEffect, useLayoutEffect, useState } from "react";

/** What is loaded in less, in ms, shows no sign of it: that would only flicker. */
export const AFTER = 150;
/** A sign of loading stays so long, in ms, even if what it stands for comes right behind it. */
const STAYS = 300;

/** Whether the place of something is still that of the sign of its loading (`Later`): while it is waited for, and until the sign has stayed. */
export function useCalm(waiting: boolean): boolean {
  const [held, setHeld] = useState(false);
  // Before anything else can come: what is drawn already is not taken away for a sign that is late.
  useLayoutEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setHeld(true), AFTER);
    return () => clearTimeout(timer);
  }, [waiting]);
  useEffect(() => {
    if (!held) return;
    const timer = setTimeout(() => setHeld(false), STAYS);
    return () => clearTimeout(timer);
  }, [held]);
  return waiting || held;
}
