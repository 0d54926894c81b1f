import ArrowDownIcon from "@mui/icons-material/ArrowDownward";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import {
  Suspense,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
} from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../../components/Announcer";
import { useCalm } from "../../components/calm";
import { EmojiPopover } from "../../components/emoji/EmojiPopover";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { VirtualList, type Aim, type ListHandle, type Place } from "../../components/list/VirtualList";
import { MessageSkeleton } from "../../components/Skeletons";
import { later } from "../../i18n/later";
import { draftsOf, placeOf } from "../../matrix/drafts";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { useRoomFacts } from "../../matrix/rooms";
import { toggleReaction } from "../../matrix/send";
import { loadMembers } from "../../matrix/members";
import { markRead, threadOf, useTimeline, type Row, type TimelineSnapshot } from "../../matrix/timeline";
import type { OpenMatrix } from "./Body";
import { isLine, keyOfItem, withLines, type Item, type Line } from "./lines";
import type { MessageAction } from "./MessageActions";
import { MessageMenu } from "./MessageMenu";
import { MessageRow, type RowHandlers } from "./MessageRow";
import { placeIn, rememberPlace } from "./places";
import { DayLine, RepliesLine, UnreadLine } from "./separators";
import { StateRow } from "./StateRow";
import { TypingLine } from "./TypingLine";
import { useArrivals } from "./useArrivals";

const DeleteDialog = later(() => import("./DeleteDialog").then((part) => part.DeleteDialog));

interface Props {
  roomId: string;
  /** Shows this thread instead of the room. */
  threadId?: string | null;
  /** Opens around this message and marks it. */
  focusEventId?: string | null;
  /** Opens a thread, perhaps around a message of it; without it, threads cannot be opened from here. */
  onOpenThread?: (threadId: string, at?: string) => void;
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
  const placeId = `${roomId} ${threadId ?? ""}`;
  const room = useRoomFacts(roomId);
  const known = room !== null;
  const { snapshot, timeline } = useTimeline(roomId, threadId);
  const loading = useCalm(isLoading(snapshot));
  const rows = loading ? NONE : snapshot.rows;
  const list = useRef<ListHandle>(null);
  const [atBottom, setAtBottom] = useState(true);
  const [seen, setSeen] = useState(snapshot.arrived);
  const [focusKey, setFocusKey] = useState<string | null>(null);
  const [marked, setMarked] = useState<string | null>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  /** The row the view is on its way to, in an object of its own each time. */
  const [aim, setAim] = useState<{ readonly key: string } | null>(null);
  useArrivals(
    snapshot.arrived,
    useCallback((count) => timeline.latest(count), [timeline]),
  );

  useEffect(() => {
    if (known) void loadMembers(client, roomId);
  }, [client, roomId, known]);

  const sought = useRef<string | null>(null);
  // Made anew with each address; what is looked for is looked for once.
  const toThread = useRef(onOpenThread);
  useEffect(() => {
    toThread.current = onOpenThread;
  }, [onOpenThread]);
  const reveal = useCallback(
    async (eventId: string) => {
      sought.current = eventId;
      if (timeline.indexOf(eventId) < 0 && !(await timeline.open(eventId))) {
        const thread = threadId === null ? await threadOf(client, roomId, eventId) : null;
        // Not for who has gone on to somewhere else meanwhile.
        if (sought.current !== eventId) return;
        if (thread && toThread.current) toThread.current(thread, eventId);
        else alert(t("timeline.replyGone"));
        return;
      }
      const index = timeline.indexOf(eventId);
      const row = timeline.get().rows[index];
      if (!row) return;
      setMarked(row.key);
      setFocusKey(row.key);
      setAim({ key: row.key });
    },
    [client, roomId, threadId, timeline, t],
  );

  useEffect(() => {
    // eslint-disable-next-line react-hooks/set-state-in-effect -- follows the address: the view moves to the event it names
    if (focusEventId && known) void reveal(focusEventId);
  }, [focusEventId, known, reveal]);

  useEffect(() => {
    const find = (asked: Event) => {
      const { detail } = asked as CustomEvent<{ roomId: string; event: string }>;
      if (detail.roomId === roomId && threadId === null) void reveal(detail.event);
    };
    document.addEventListener("orvale:to-event", find);
    return () => document.removeEventListener("orvale:to-event", find);
  }, [roomId, threadId, reveal]);

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

  const items = useLines(rows, snapshot.atStart && threadId === null, threadId);
  const start = useStart(items, placeId, focusEventId);
  const onPlace = useCallback((place: Place | null) => rememberPlace(placeId, place), [placeId]);
  const onNear = useCallback(
    (edge: "start" | "end") => void (edge === "start" ? timeline.older() : timeline.newer()),
    [timeline],
  );

  const moveTo = useCallback((key: string, align: "center" | "nearest") => {
    list.current?.scrollTo({ key, align }, () =>
      list.current?.element(key)?.querySelector<HTMLElement>("[data-row]")?.focus({ preventScroll: true }),
    );
  }, []);
  // After the rows that were just loaded have been given to the list.
  const drawn = rows.length > 0;
  useEffect(() => {
    if (aim && drawn) moveTo(aim.key, "center");
  }, [aim, drawn, moveTo]);

  const toBottom = useCallback(async () => {
    if (!timeline.get().live) await timeline.open(null);
    list.current?.scrollTo("end");
  }, [timeline]);

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
    moveTo(row.key, "nearest");
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
  const beginning = t(room?.kind === "channel" ? "timeline.start" : "timeline.startWith", { name });
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
      {rows.length === 0 ? (
        <Box sx={{ flex: 1, minHeight: 0, display: "flex" }}>
          {!loading ? (
            <EmptyState title={beginning} text={t("timeline.startEmpty")} />
          ) : (
            <Later>
              <MessageSkeleton rows={8} />
            </Later>
          )}
        </Box>
      ) : (
        <VirtualList
          ref={list}
          role="log"
          aria-live="off"
          aria-label={threadId === null ? t("timeline.label", { name }) : t("timeline.threadLabel")}
          items={items}
          keyOf={keyOfItem}
          estimate={ROW_HEIGHT}
          start={start}
          kept={tabKey}
          followEnd={snapshot.live}
          fromEnd
          counted={snapshot.atStart && snapshot.live ? isMessage : null}
          onEnd={setAtBottom}
          onNear={onNear}
          onPlace={onPlace}
          draw={(item) =>
            isLine(item) ? (
              <LineRow line={item} beginning={beginning} />
            ) : item.kind === "state" ? (
              <StateRow row={item} />
            ) : (
              <MessageRow
                event={item.event}
                rowKey={item.key}
                me={me}
                continued={item.continued}
                tabbable={item.key === tabKey}
                marked={item.key === marked}
                inThread={threadId !== null}
                handlers={handlers}
              />
            )
          }
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
      {threadId === null ? <TypingLine roomId={roomId} /> : <Box sx={{ height: 12, flex: "none" }} />}
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
      {asking?.what === "delete" && (
        <Suspense>
          <DeleteDialog event={asking.event} onClose={() => setAsking(null)} />
        </Suspense>
      )}
    </Box>
  );
}

const NONE: readonly Row[] = [];

/** There is nothing to show yet. */
const isLoading = ({ status, rows, atStart }: TimelineSnapshot) =>
  status === "loading" || (status === "ready" && rows.length === 0 && !atStart);

/** What a row that was never drawn is taken for, in px. */
const ROW_HEIGHT = 44;
/** What is left visible above the unread line, in px. */
const ABOVE_UNREAD = 80;

const isMessage = (item: Item) => item.kind === "message";

function LineRow({ line, beginning }: { line: Line; beginning: string }) {
  if (line.kind === "day") return <DayLine day={line.day} />;
  if (line.kind === "unread") return <UnreadLine />;
  if (line.kind === "replies") return <RepliesLine />;
  return <Box sx={{ px: 2, pt: 3, typography: "h2" }}>{beginning}</Box>;
}

/** The items of the list; an item stays the same object while it says the same. */
function useLines(rows: readonly Row[], beginning: boolean, root: string | null): readonly Item[] {
  const [kept, setKept] = useState<{ rows: readonly Row[]; beginning: boolean; items: readonly Item[] }>(
    () => ({ rows, beginning, items: withLines(rows, beginning, [], root) }),
  );
  if (kept.rows === rows && kept.beginning === beginning) return kept.items;
  const items = withLines(rows, beginning, kept.items, root);
  setKept({ rows, beginning, items });
  return items;
}

/** The message that Tab leads to when none was chosen: the newest. */
function lastMessageKey(rows: readonly Row[]): string | null {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    if (rows[index]?.kind === "message") return rows[index]!.key;
  }
  return null;
}

/** Where the list begins: at the message asked for, at the unread line, where it was left, or at the end. Decided with the first rows. */
function useStart(items: readonly Item[], placeId: string, focusEventId: string | null): Aim {
  const [start, setStart] = useState<Aim | null>(null);
  if (items.length === 0 || start !== null) return start ?? "end";
  const asked = focusEventId
    ? items.find((item) => !isLine(item) && item.event.getId() === focusEventId)
    : undefined;
  const unread = items.find((item) => item.kind === "unread");
  const place = placeIn(placeId);
  let decided: Aim = "end";
  if (asked) decided = { key: asked.key, align: "center" };
  else if (unread) decided = { key: unread.key, top: ABOVE_UNREAD };
  else if (place && items.some((item) => item.key === place.key)) decided = place;
  setStart(decided);
  return decided;
}

function focusComposer(place: string): void {
  // After menus have given the focus back.
  setTimeout(() => document.querySelector<HTMLElement>(`[data-composer="${CSS.escape(place)}"]`)?.focus(), 0);
}
