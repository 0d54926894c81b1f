// Where somebody was in a room, for when they come back.

import type { Place } from "../../components/list/VirtualList";

const KEPT = 100;
const places = new Map<string, Place>();

/** Remembers where the view stands; at the end there is nothing to remember. */
export function rememberPlace(id: string, place: Place | null): void {
  places.delete(id);
  if (place === null) return;
  places.set(id, place);
  if (places.size > KEPT) places.delete(places.keys().next().value!);
}

/** Where the view stood, or null for the end. */
export function placeIn(id: string): Place | null {
  return places.get(id) ?? null;
}
