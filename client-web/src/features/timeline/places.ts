// Where somebody was in a room, for when they come back.

/** A row and how far its upper edge was above the upper edge of the view. */
export interface Place {
  readonly key: string;
  readonly offset: number;
}

const places = new Map<string, Place>();

/** Remembers where the view stands; at the bottom there is nothing to remember. */
export function rememberPlace(id: string, scroller: HTMLElement, atBottom: boolean): void {
  if (atBottom) {
    places.delete(id);
    return;
  }
  const top = scroller.getBoundingClientRect().top;
  for (const item of scroller.querySelectorAll<HTMLElement>("[data-item-key]")) {
    const box = item.getBoundingClientRect();
    if (box.bottom <= top) continue;
    places.delete(id);
    places.set(id, { key: item.dataset["itemKey"]!, offset: Math.round(top - box.top) });
    if (places.size > 100) places.delete(places.keys().next().value!);
    return;
  }
}

/** Where the view stood, or null for the bottom. */
export function placeIn(id: string): Place | null {
  return places.get(id) ?? null;
}
