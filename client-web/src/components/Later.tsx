import { type ReactNode, useEffect, useState } from "react";

import { AFTER } from "./calm";

interface Props {
  /** In milliseconds; what is over sooner shows nothing. */
  after?: number;
  children: ReactNode;
}

/** Shows signs of loading only when loading takes a while, so that what is quick does not flicker; `useCalm` lets them stay a moment. */
export function Later({ after = AFTER, children }: Props) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      setDue(true);
    }, after);
    return () => {
      clearTimeout(timer);
    };
  }, [after]);
  return due ? children : null;
}
