// The threads of a room.

import {
  Direction,
  NotificationCountType,
  RoomEvent,
  ThreadEvent,
  ThreadFilterType,
  type MatrixClient,
} from "matrix-js-sdk";
import { useCallback, useEffect, useRef, useState } from "react";

import type { TimelineEvent } from "./events";
import { useClient } from "./MatrixProvider";

/** A thread in the list of its room. */
export interface ListedThread {
  readonly id: string;
  readonly root: TimelineEvent;
  readonly count: number;
  readonly latest: { readonly name: string; readonly text: string; readonly time: number } | null;
  readonly unread: number;
  readonly mentions: number;
}

interface Bundled {
  readonly count?: number;
  readonly latest_event?: {
    readonly sender?: string;
    readonly origin_server_ts?: number;
    readonly content?: { readonly body?: unknown };
  };
}

async function page(client: MatrixClient, roomId: string, mine: boolean, from: string | null) {
  const answer = await client.createThreadListMessagesRequest(
    roomId,
    from,
    25,
    Direction.Backward,
    mine ? ThreadFilterType.My : ThreadFilterType.All,
  );
  const room = client.getRoom(roomId);
  const map = client.getEventMapper();
  const threads = answer.chunk.map((raw): ListedThread => {
    const root = room?.findEventById(raw.event_id) ?? map(raw);
    const bundled = (raw.unsigned as { "m.relations"?: { "m.thread"?: Bundled } } | undefined)?.[
      "m.relations"
    ]?.["m.thread"];
    const latest = bundled?.latest_event;
    const body = latest?.content?.body;
    return {
      id: raw.event_id,
      root,
      count: bundled?.count ?? 0,
      latest: latest
        ? {
            name: room?.getMember(latest.sender ?? "")?.name ?? latest.sender ?? "",
            text: typeof body === "string" ? body : "",
            time: latest.origin_server_ts ?? 0,
          }
        : null,
      unread: room?.getThreadUnreadNotificationCount(raw.event_id, NotificationCountType.Total) ?? 0,
      mentions: room?.getThreadUnreadNotificationCount(raw.event_id, NotificationCountType.Highlight) ?? 0,
    };
  });
  return { threads, next: answer.end ?? null };
}

/** The threads of a room, those answered last first; read anew when one of them changes. */
export function useThreads(roomId: string, mine: boolean) {
  const client = useClient();
  const [state, setState] = useState<{
    readonly status: "loading" | "ready" | "failed";
    readonly threads: readonly ListedThread[];
    readonly next: string | null;
  }>({ status: "loading", threads: [], next: null });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  const run = useRef(0);

  useEffect(() => {
    run.current += 1;
    const mineRun = run.current;
    page(client, roomId, mine, null).then(
      ({ threads, next }) => {
        if (run.current === mineRun) setState({ status: "ready", threads, next });
      },
      () => {
        if (run.current === mineRun) setState((before) => ({ ...before, status: "failed" }));
      },
    );
  }, [client, roomId, mine, round]);

  useEffect(() => {
    const room = client.getRoom(roomId);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      clearTimeout(timer);
      timer = setTimeout(reload, 300);
    };
    const events = [
      ThreadEvent.New,
      ThreadEvent.Update,
      ThreadEvent.NewReply,
      RoomEvent.UnreadNotifications,
    ] as const;
    for (const event of events) room?.on(event, changed);
    return () => {
      clearTimeout(timer);
      for (const event of events) room?.off(event, changed);
    };
  }, [client, roomId, reload]);

  const more = useCallback(async () => {
    if (!state.next) return;
    const { threads, next } = await page(client, roomId, mine, state.next);
    setState((before) => ({ ...before, threads: [...before.threads, ...threads], next }));
  }, [client, roomId, mine, state.next]);
  return { ...state, more, reload };
}
