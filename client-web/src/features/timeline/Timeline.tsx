import ArrowDownIcon from "@mui/icons-material/ArrowDownward";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
} from "react";
import { useTranslation } from "react-i18next";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";

import { EmojiPopover } from "../../components/emoji/EmojiPopover";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { MessageSkeleton } from "../../components/Skeletons";
import { draftsOf, placeOf } from "../../matrix/drafts";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { useRoom } from "../../matrix/rooms";
import { toggleReaction } from "../../matrix/send";
import { loadMembers } from "../../matrix/members";
import { markRead, useTimeline, type Row } from "../../matrix/timeline";
import type { OpenMatrix } from "./Body";
import { DeleteDialog } from "./DeleteDialog";
import type { MessageAction } from "./MessageActions";
import { MessageMenu } from "./MessageMenu";
import { MessageRow, type RowHandlers } from "./MessageRow";
import { placeIn, rememberPlace } from "./places";
import { DayLine, UnreadLine } from "./separators";
import { StateRow } from "./StateRow";
import { TypingLine } from "./TypingLine";
import { useArrivals } from "./useArrivals";

interface Props {
  roomId: string;
  /** Shows this thread instead of the room. */
  threadId?: string | null;
  /** Opens around this message and marks it. */
  focusEventId?: string | null;
  /** Opens a thread; without it, threads cannot be opened from here. */
  onOpenThread?: (threadId: string) => void;
  /** Opens a person or room that was named in a message. */
  onOpenMatrix?: OpenMatrix;
  /** The address of a message, for "Copy link". */
  linkTo?: (eventId: string) => string;
}

const nothing: OpenMatrix = () => undefined;

/** The messages of a room or thread. */
export function Timeline(props: Props) {
  // Everything that belongs to one room goes with it.
  return <RoomTimeline key={`${props.roomId} ${props.threadId ?? ""}`} {...props} />;
}

type Asking =
  | {
      readonly what: "react" | "more";
      readonly event: TimelineEvent;
      readonly message: MessageView;
      readonly anchor: HTMLElement;
    }
  | { readonly what: "delete"; readonly event: TimelineEvent };

function RoomTimeline({
  roomId,
  threadId = null,
  focusEventId = null,
  onOpenThread,
  onOpenMatrix = nothing,
  linkTo,
}: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const me = client.getSafeUserId();
  const room = useRoom(roomId);
  const { snapshot, timeline } = useTimeline(roomId, threadId);
  const { rows, firstIndex } = snapshot;
  const list = useRef<VirtuosoHandle>(null);
  const scroller = useRef<HTMLElement | null>(null);
  const [atBottom, setAtBottom] = useState(true);
  const [seen, setSeen] = useState(snapshot.arrived);
  const [focusKey, setFocusKey] = useState<string | null>(null);
  const [marked, setMarked] = useState<string | null>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  const state = useRef({ rows, firstIndex, atBottom, placeId: `${roomId} ${threadId ?? ""}` });
  useLayoutEffect(() => {
    state.current = { rows, firstIndex, atBottom, placeId: `${roomId} ${threadId ?? ""}` };
  });
  useArrivals(
    snapshot.arrived,
    useCallback(() => timeline.latest(), [timeline]),
  );

  useEffect(() => {
    void loadMembers(client, roomId);
  }, [client, roomId]);

  const reveal = useCallback(
    async (eventId: string) => {
      if (timeline.indexOf(eventId) < 0 && !(await timeline.open(eventId))) return;
      const index = timeline.indexOf(eventId);
      const row = timeline.get().rows[index];
      if (!row) return;
      setMarked(row.key);
      setFocusKey(row.key);
      // After the rows that were just loaded have been given to the list.
      setTimeout(() => {
        list.current?.scrollIntoView({
          index,
          align: "center",
          behavior: "auto",
          done: () =>
            scroller.current
              ?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`)
              ?.focus({ preventScroll: true }),
        });
      }, 0);
    },
    [timeline],
  );

  useEffect(() => {
    // eslint-disable-next-line react-hooks/set-state-in-effect -- follows the address: the view moves to the event it names
    if (focusEventId) void reveal(focusEventId);
  }, [focusEventId, reveal]);

  useEffect(() => {
    if (marked === null) return;
    const timer = setTimeout(() => setMarked(null), 2_000);
    return () => clearTimeout(timer);
  }, [marked]);

  // Reading: what is on screen at the bottom of a window somebody looks at.
  useEffect(() => {
    if (!atBottom || !snapshot.live || snapshot.status !== "ready") return;
    const read = () => {
      if (document.visibilityState === "visible" && document.hasFocus())
        void markRead(client, roomId, threadId);
    };
    const timer = setTimeout(read, 300);
    window.addEventListener("focus", read);
    document.addEventListener("visibilitychange", read);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("focus", read);
      document.removeEventListener("visibilitychange", read);
    };
  }, [atBottom, client, roomId, threadId, snapshot.live, snapshot.status, rows]);

  if (atBottom && seen !== snapshot.arrived) setSeen(snapshot.arrived);

  const start = useInitialPlace(rows, `${roomId} ${threadId ?? ""}`, focusEventId);
  // Whether the bottom is to stay the bottom: until somebody scrolls up, which is known before the list says so.
  const sticky = useRef(true);
  useLayoutEffect(() => {
    sticky.current = start.index === "LAST";
  }, [start.index]);
  // What is measured late is a little higher or lower than was thought: the bottom is made the bottom once it is known.
  const settle = useCallback(() => {
    const step = (frames: number) => {
      const element = scroller.current;
      if (!element || !sticky.current) return;
      if (element.scrollHeight - element.clientHeight - element.scrollTop > 0.5)
        element.scrollTop = element.scrollHeight;
      if (frames > 0) requestAnimationFrame(() => step(frames - 1));
    };
    requestAnimationFrame(() => step(2));
  }, []);
  const keepBottom = useCallback(() => {
    if (sticky.current && timeline.get().live) settle();
  }, [settle, timeline]);
  useLayoutEffect(keepBottom, [keepBottom, rows]);
  const [view, setView] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (!view || typeof ResizeObserver === "undefined") return;
    const watch = new ResizeObserver(keepBottom);
    watch.observe(view);
    let before = view.scrollTop;
    const moved = () => {
      const bottom = view.scrollHeight - view.clientHeight - view.scrollTop <= AT_BOTTOM;
      if (bottom) sticky.current = true;
      else if (view.scrollTop < before) sticky.current = false;
      before = view.scrollTop;
    };
    const up = (wheel: WheelEvent) => {
      if (wheel.deltaY < 0) sticky.current = false;
    };
    view.addEventListener("scroll", moved, { passive: true });
    view.addEventListener("wheel", up, { passive: true });
    return () => {
      watch.disconnect();
      view.removeEventListener("scroll", moved);
      view.removeEventListener("wheel", up);
    };
  }, [view, keepBottom]);

  const toBottom = useCallback(async () => {
    if (!timeline.get().live) await timeline.open(null);
    list.current?.scrollToIndex({ index: "LAST", align: "end", behavior: "auto" });
    sticky.current = true;
    settle();
  }, [timeline, settle]);

  // Own messages are always followed.
  const last = rows[rows.length - 1];
  const lastKey = last?.key;
  const lastMine = last?.event.getSender() === me && last.event.status !== null;
  useLayoutEffect(() => {
    if (lastMine) void toBottom();
  }, [lastKey, lastMine, toBottom]);

  useEffect(() => {
    const move = (event: Event) => {
      if ((event as CustomEvent<{ roomId: string }>).detail.roomId === roomId) void toBottom();
    };
    document.addEventListener("orvale:to-bottom", move);
    return () => document.removeEventListener("orvale:to-bottom", move);
  }, [roomId, toBottom]);

  const handlers = useMemo<RowHandlers>(() => {
    const drafts = draftsOf(me);
    const place = placeOf(roomId, threadId);
    return {
      act: (action, event, message, anchor) => {
        switch (action) {
          case "reply":
            drafts.set(place, { replyTo: message.eventId, editing: null });
            focusComposer(place);
            return;
          case "edit":
            drafts.edit(place, message.eventId, message.body);
            focusComposer(place);
            return;
          case "thread":
            onOpenThread?.(message.thread ?? message.eventId);
            return;
          case "delete":
            setAsking({ what: "delete", event });
            return;
          case "react":
          case "more":
            setAsking({ what: action, event, message, anchor });
            return;
        }
      },
      jump: (eventId) => void reveal(eventId),
      openThread: onOpenThread ?? null,
      openMatrix: onOpenMatrix,
      focused: setFocusKey,
    };
  }, [me, roomId, threadId, onOpenThread, onOpenMatrix, reveal]);

  const focusRow = (index: number) => {
    const row = rows[index];
    if (!row) return;
    setFocusKey(row.key);
    list.current?.scrollIntoView({
      index,
      behavior: "auto",
      done: () =>
        scroller.current
          ?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`)
          ?.focus({ preventScroll: true }),
    });
  };

  const onKeyDown = (press: KeyboardEvent) => {
    if (!(press.target instanceof HTMLElement) || press.target.dataset["row"] === undefined) return;
    const at = rows.findIndex((row) => row.key === (press.target as HTMLElement).dataset["row"]);
    const step = (from: number, by: number) => {
      for (let next = from + by; next >= 0 && next < rows.length; next += by) {
        if (rows[next]?.kind === "message") {
          focusRow(next);
          return;
        }
      }
      if (by < 0) void timeline.older();
    };
    if (press.altKey || press.ctrlKey || press.metaKey) return;
    if (press.key === "ArrowUp") step(at, -1);
    else if (press.key === "ArrowDown") step(at, 1);
    else if (press.key === "Home") step(-1, 1);
    else if (press.key === "End") step(rows.length, -1);
    else if (press.key === "Enter") {
      press.target.querySelector<HTMLElement>("a[href], button, [tabindex='0']")?.focus();
    } else if (press.key === "Escape") {
      void markRead(client, roomId, threadId);
      void toBottom();
      focusComposer(placeOf(roomId, threadId));
    } else return;
    press.preventDefault();
  };

  const name = room?.name ?? "";
  const tabKey =
    focusKey !== null && rows.some((row) => row.key === focusKey) ? focusKey : lastMessageKey(rows);
  const fresh = Math.max(0, snapshot.arrived - seen);

  if (snapshot.status === "failed") {
    return (
      <EmptyState
        title={t("timeline.failedTitle")}
        text={t("timeline.failedText")}
        actions={
          <Button variant="contained" onClick={() => void timeline.open(focusEventId)}>
            {t("timeline.again")}
          </Button>
        }
      />
    );
  }

  return (
    <Box
      sx={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0, position: "relative" }}
      onKeyDown={onKeyDown}
    >
      {snapshot.status === "loading" || rows.length === 0 ? (
        <Box sx={{ flex: 1, minHeight: 0, display: "flex" }}>
          {snapshot.status === "ready" && snapshot.atStart ? (
            <EmptyState title={t("timeline.start", { name })} text={t("timeline.startEmpty")} />
          ) : (
            <Later>
              <MessageSkeleton rows={8} />
            </Later>
          )}
        </Box>
      ) : (
        <Virtuoso
          ref={list}
          role="log"
          aria-live="off"
          aria-label={threadId === null ? t("timeline.label", { name }) : t("timeline.threadLabel")}
          style={{ flex: 1, minHeight: 0, overscrollBehavior: "contain" }}
          data={rows}
          firstItemIndex={firstIndex}
          initialTopMostItemIndex={start}
          computeItemKey={(_index, row) => row.key}
          alignToBottom
          increaseViewportBy={ROOM_AROUND}
          atBottomThreshold={AT_BOTTOM}
          atBottomStateChange={setAtBottom}
          totalListHeightChanged={keepBottom}
          followOutput={(bottom) => (bottom && snapshot.live ? "auto" : false)}
          startReached={() => void timeline.older()}
          endReached={() => void timeline.newer()}
          rangeChanged={(range) => {
            if (range.startIndex - state.current.firstIndex < 12) void timeline.older();
          }}
          scrollerRef={(element) => {
            scroller.current = element instanceof HTMLElement ? element : null;
            setView(scroller.current);
          }}
          isScrolling={(moving) => {
            if (!moving && scroller.current)
              rememberPlace(state.current.placeId, scroller.current, state.current.atBottom);
          }}
          itemContent={(index, row) => (
            <div data-item-key={row.key}>
              {index === firstIndex && snapshot.atStart && threadId === null && <Beginning name={name} />}
              {row.day !== null && <DayLine day={row.day} />}
              {row.unread && <UnreadLine />}
              {row.kind === "state" ? (
                <StateRow row={row} />
              ) : (
                <MessageRow
                  event={row.event}
                  rowKey={row.key}
                  me={me}
                  continued={row.continued}
                  tabbable={row.key === tabKey}
                  marked={row.key === marked}
                  inThread={threadId !== null}
                  handlers={handlers}
                />
              )}
            </div>
          )}
        />
      )}
      {rows.length > 0 && (!atBottom || !snapshot.live) && (
        <Button
          variant="contained"
          size="small"
          startIcon={<ArrowDownIcon />}
          onClick={() => void toBottom()}
          aria-label={fresh > 0 ? t("timeline.newCount", { count: fresh }) : t("timeline.jumpDown")}
          sx={{
            position: "absolute",
            bottom: 30,
            insetInlineEnd: 24,
            borderRadius: "18px",
            zIndex: 3,
            boxShadow: 3,
            minWidth: 0,
            ...(fresh === 0 && { px: 1.25, "& .MuiButton-startIcon": { m: 0 } }),
          }}
        >
          {fresh > 0 ? t("timeline.newCount", { count: fresh }) : null}
        </Button>
      )}
      {threadId === null && <TypingLine roomId={roomId} />}
      {asking?.what === "react" && (
        <EmojiPopover
          anchor={asking.anchor}
          onClose={() => setAsking(null)}
          onPick={(emoji) => toggleReaction(client, asking.event, emoji, null)}
        />
      )}
      {asking?.what === "more" && (
        <MessageMenu
          event={asking.event}
          message={asking.message}
          anchor={asking.anchor}
          inThread={threadId !== null}
          link={linkTo ? linkTo(asking.message.eventId) : null}
          onClose={() => setAsking(null)}
          onAction={(action: MessageAction) =>
            handlers.act(action, asking.event, asking.message, asking.anchor)
          }
        />
      )}
      {asking?.what === "delete" && <DeleteDialog event={asking.event} onClose={() => setAsking(null)} />}
    </Box>
  );
}

/** So near to the bottom, in px, is at the bottom. */
const AT_BOTTOM = 24;
const ROOM_AROUND = { top: 800, bottom: 400 };

/** The message that Tab leads to when none was chosen: the newest. */
function lastMessageKey(rows: readonly Row[]): string | null {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    if (rows[index]?.kind === "message") return rows[index]!.key;
  }
  return null;
}

/** Where the list starts: where it was left, at the unread line, or at the bottom. Decided once, with the first rows. */
function useInitialPlace(rows: readonly Row[], id: string, focusEventId: string | null) {
  const ready = rows.length > 0;
  const [place, setPlace] = useState<{
    index: number | "LAST";
    align: "start" | "center" | "end";
    offset?: number;
  } | null>(null);
  if (ready && place === null) {
    const kept = placeIn(id);
    const keptAt = kept ? rows.findIndex((row) => row.key === kept.key) : -1;
    const unreadAt = rows.findIndex((row) => row.unread);
    const focusAt = focusEventId ? rows.findIndex((row) => row.event.getId() === focusEventId) : -1;
    if (focusAt >= 0) setPlace({ index: focusAt, align: "center" });
    else if (unreadAt >= 0) setPlace({ index: unreadAt, align: "start", offset: -80 });
    else if (kept && keptAt >= 0) setPlace({ index: keptAt, align: "start", offset: kept.offset });
    else setPlace({ index: "LAST", align: "end" });
  }
  return place ?? { index: "LAST" as const, align: "end" as const };
}

function focusComposer(place: string): void {
  // After menus have given the focus back.
  setTimeout(() => document.querySelector<HTMLElement>(`[data-composer="${CSS.escape(place)}"]`)?.focus(), 0);
}

function Beginning({ name }: { name: string }) {
  const { t } = useTranslation();
  return <Box sx={{ px: 2, pt: 3, typography: "h2" }}>{t("timeline.start", { name })}</Box>;
}
