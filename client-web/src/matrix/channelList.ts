// The channels one can look through, page by page.

import { ClientEvent, RoomEvent } from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import {
  findChannels,
  spacesOf,
  standingIn,
  type ListedChannel,
  type Space,
  type Standing,
} from "./directory";
import { useClient } from "./MatrixProvider";
import { reasonOf } from "./requests";
import { sameShape, Snapshot } from "./signals";

/** What is found so far. */
export interface ChannelList {
  /** Null while the first page is on its way. */
  readonly channels: readonly ListedChannel[] | null;
  readonly failure: string;
  /** Whether there is more. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly loadMore: () => void;
}

interface State {
  readonly asked: string;
  readonly channels: readonly ListedChannel[] | null;
  readonly next: string | null;
  readonly failure: string;
  readonly loading: boolean;
}

const AFTER = 180;

/** Channels by a part of their name, listed for everybody or in a space. */
export function useChannelList(term: string, space: string | null): ChannelList {
  const client = useClient();
  const asking = `${space ?? ""} ${term.trim()}`;
  const [state, setState] = useState<State>({
    asked: "",
    channels: null,
    next: null,
    failure: "",
    loading: true,
  });

  useEffect(() => {
    let over = false;
    const timer = setTimeout(
      () => {
        findChannels(client, { term, space, from: null }).then(
          ({ channels, next }) => {
            if (!over) setState({ asked: asking, channels, next, failure: "", loading: false });
          },
          (error: unknown) => {
            if (!over)
              setState({
                asked: asking,
                channels: [],
                next: null,
                failure: reasonOf(error),
                loading: false,
              });
          },
        );
      },
      term.trim() ? AFTER : 0,
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, term, space, asking]);

  const loadMore = useCallback(() => {
    if (state.next === null || state.loading) return;
    setState((before) => ({ ...before, loading: true }));
    findChannels(client, { term, space, from: state.next }).then(
      ({ channels, next }) =>
        setState((before) => {
          if (before.asked !== asking) return before;
          const known = new Set(before.channels?.map((channel) => channel.roomId));
          const fresh = channels.filter((channel) => !known.has(channel.roomId));
          return { ...before, channels: [...(before.channels ?? []), ...fresh], next, loading: false };
        }),
      (error: unknown) => setState((before) => ({ ...before, failure: reasonOf(error), loading: false })),
    );
  }, [client, term, space, asking, state.next, state.loading]);

  return {
    channels: state.channels,
    failure: state.failure,
    more: state.next !== null,
    loading: state.loading,
    loadMore,
  };
}

/** How this person stands to a room, kept fresh. */
export function useStanding(roomId: string): Standing {
  const client = useClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      const changed = (room: { roomId: string }) => {
        if (room.roomId === roomId) listener();
      };
      client.on(RoomEvent.MyMembership, changed);
      client.on(ClientEvent.Room, changed);
      return () => {
        client.off(RoomEvent.MyMembership, changed);
        client.off(ClientEvent.Room, changed);
      };
    },
    [client, roomId],
  );
  return useSyncExternalStore(subscribe, () => standingIn(client, roomId));
}

const sameSpaces = (a: readonly Space[], b: readonly Space[]) =>
  a.length === b.length && a.every((space, index) => sameShape(space, b[index]!));

/** The spaces this person is in. */
export function useSpaces(): readonly Space[] {
  const client = useClient();
  const spaces = useMemo(() => new Snapshot(() => spacesOf(client), sameSpaces), [client]);
  const subscribe = useCallback(
    (listener: () => void) => {
      client.on(RoomEvent.MyMembership, listener);
      client.on(ClientEvent.Sync, listener);
      return () => {
        client.off(RoomEvent.MyMembership, listener);
        client.off(ClientEvent.Sync, listener);
      };
    },
    [client],
  );
  return useSyncExternalStore(subscribe, spaces.get);
}
