import { matchPath } from "react-router";

import { patterns } from "./paths";

/** The room and message that the address names by now: it may have moved when the page is still being drawn. */
export function placeOfAddress(): { readonly roomId: string | null; readonly eventId: string | null } {
  const at = matchPath(patterns.event, location.pathname) ?? matchPath(patterns.room, location.pathname);
  const { roomId, eventId }: { roomId?: string; eventId?: string } = at?.params ?? {};
  const read = (written: string | undefined) => (written === undefined ? null : decoded(written));
  return { roomId: read(roomId), eventId: read(eventId) };
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}
