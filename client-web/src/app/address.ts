import { matchPath } from "react-router";

import { patterns } from "./paths";

/** The room and message that the address names by now: it may have moved when the page is still being drawn. */
export function placeOfAddress(): { readonly roomId: string | null; readonly eventId: string | null } {
  const at = matchPath(patterns.event, location.pathname) ?? matchPath(patterns.room, location.pathname);
  const read = (written: string | undefined) => (written === undefined ? null : decoded(written));
  return { roomId: read(at?.params.roomId), eventId: read(at?.params["eventId"]) };
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}
