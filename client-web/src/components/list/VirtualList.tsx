import { useImperativeHandle, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import type { AriaAttributes, ReactNode, Ref } from "react";

import { Scroller, type Aim, type Place } from "./Scroller";

export type { Aim, Place } from "./Scroller";

/** Ways to move a list. */
export interface ListHandle {
  /** Moves the view; calls back when the row is drawn and in its place. */
  readonly scrollTo: (aim: Aim, arrived?: () => void) => void;
  /** The element of a row, if it is drawn. */
  readonly element: (key: string) => HTMLElement | null;
}

interface Props<T> extends AriaAttributes {
  ref?: Ref<ListHandle>;
  role?: string;
  items: readonly T[];
  keyOf: (item: T) => string;
  draw: (item: T) => ReactNode;
  /** The height of a row that was never drawn, in px: a guess. */
  estimate: number;
  /** Where the list begins; read once. */
  start?: Aim;
  /** A row that is drawn wherever the view is: the one with the focus. */
  kept?: string | null;
  /** Who is at the end stays there when rows are added. */
  followEnd?: boolean;
  /** Few rows stand at the lower edge of the view. */
  fromEnd?: boolean;
  /** Once all there are are among the items: which of them are counted, so that each says which of how many it is. */
  counted?: ((item: T) => boolean) | null;
  onEnd?: (atEnd: boolean) => void;
  onNear?: (edge: "start" | "end") => void;
  onPlace?: (place: Place | null) => void;
}

/** A list of which only what is in view is on the page. What one reads never moves by what happens above or below it. */
export function VirtualList<T>({
  ref,
  role,
  items,
  keyOf,
  draw,
  estimate,
  start = "start",
  kept = null,
  followEnd = false,
  fromEnd = false,
  counted = null,
  onEnd,
  onNear,
  onPlace,
  ...aria
}: Props<T>) {
  const [scroller] = useState(() => new Scroller(keyOf, estimate, start).begin(items, kept, followEnd));
  const view = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const drawn = useSyncExternalStore(scroller.subscribe, scroller.get);

  useLayoutEffect(() => {
    scroller.listen({ onEnd, onNear, onPlace });
  }, [scroller, onEnd, onNear, onPlace]);
  useLayoutEffect(() => {
    scroller.update(items, kept, followEnd);
  }, [scroller, items, kept, followEnd]);
  useLayoutEffect(() => (view.current ? scroller.attach(view.current) : undefined), [scroller]);
  useLayoutEffect(() => {
    if (content.current) number(content.current, drawn.items, counted);
    scroller.settle();
  }, [scroller, drawn, counted]);
  useImperativeHandle(
    ref,
    () => ({
      scrollTo: (aim, arrived) => scroller.scrollTo(aim, arrived),
      element: (key) => view.current?.querySelector(`[data-item="${CSS.escape(key)}"]`) ?? null,
    }),
    [scroller],
  );

  const parts: ReactNode[] = [];
  const gap = (key: string) => (
    <div
      key={`gap ${key}`}
      aria-hidden
      style={{ flex: "none" }}
      ref={(element) => {
        scroller.gap(key, element);
        return () => scroller.gap(key, null);
      }}
    />
  );
  let next = 0;
  for (const index of drawn.indexes) {
    const item = drawn.items[index]!;
    const key = keyOf(item);
    if (index !== next) parts.push(gap(key));
    parts.push(
      <ListRow key={`row ${key}`} rowKey={key} index={index} scroller={scroller as Scroller<unknown>}>
        {draw(item)}
      </ListRow>,
    );
    next = index + 1;
  }
  if (next < drawn.items.length) parts.push(gap(""));
  return (
    <div
      ref={view}
      role={role}
      {...aria}
      style={{
        flex: 1,
        minHeight: 0,
        overflowX: "hidden",
        overflowY: "auto",
        overflowAnchor: "none",
        overscrollBehavior: "contain",
      }}
    >
      <div
        ref={content}
        style={{
          minHeight: "100%",
          display: "flex",
          flexDirection: "column",
          justifyContent: fromEnd ? "flex-end" : "flex-start",
        }}
      >
        {parts}
      </div>
    </div>
  );
}

function ListRow({
  rowKey,
  index,
  scroller,
  children,
}: {
  rowKey: string;
  index: number;
  scroller: Scroller<unknown>;
  children: ReactNode;
}) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    scroller.row(rowKey, element.current);
    return () => scroller.row(rowKey, null);
  }, [scroller, rowKey]);
  return (
    <div ref={element} data-item={rowKey} data-index={index} style={{ flex: "none", display: "flow-root" }}>
      {children}
    </div>
  );
}

/** Says which of how many each article is. Not by React: a row is not drawn again because another one came. */
function number<T>(content: HTMLElement, items: readonly T[], counted: ((item: T) => boolean) | null): void {
  const places: number[] = [];
  let count = 0;
  if (counted) for (const item of items) places.push(counted(item) ? (count += 1) : 0);
  for (const row of content.children) {
    const article = row.querySelector("[role=article]");
    const place = places[Number((row as HTMLElement).dataset["index"])];
    if (place) {
      article?.setAttribute("aria-posinset", String(place));
      article?.setAttribute("aria-setsize", String(count));
    } else {
      article?.removeAttribute("aria-posinset");
      article?.removeAttribute("aria-setsize");
    }
  }
}
