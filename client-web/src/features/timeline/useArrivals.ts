import type { TFunction } from "i18next";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { viewOf, type TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { plainText } from "../../matrix/plainText";

/** So long a burst is waited for, in ms. */
const GATHER = 250;

/** One sentence for what came in: the message itself, or how many there were. */
export function sentenceFor(arrived: ReadonlyArray<{ name: string; text: string }>, t: TFunction): string {
  const [first] = arrived;
  if (!first) return "";
  if (arrived.length === 1)
    return t("timeline.arrivedOne", { name: first.name, text: first.text.slice(0, 300) });
  const names = new Set(arrived.map((message) => message.name));
  if (names.size === 1) return t("timeline.arrivedFrom", { count: arrived.length, name: first.name });
  return t("timeline.arrived", { count: arrived.length, people: names.size });
}

/** Says what others write while somebody watches; bursts are summed up, history is silent. `latest` gives the last so many. */
export function useArrivals(arrived: number, latest: (count: number) => readonly TimelineEvent[]): void {
  const { t } = useTranslation();
  const client = useClient();
  const heard = useRef(arrived);
  const waiting = useRef<Array<{ name: string; text: string }>>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (arrived <= heard.current) return;
    const events = latest(arrived - heard.current);
    heard.current = arrived;
    // Of a burst only who wrote is said, not what.
    const alone = events.length === 1 && waiting.current.length === 0;
    for (const event of events) {
      const message = viewOf(client, event);
      waiting.current.push({ name: message.senderName, text: alone ? plainText(message, t) : "" });
    }
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      announce(() => sentenceFor(waiting.current.splice(0), t));
    }, GATHER);
  }, [arrived, client, latest, t]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
      waiting.current = [];
    },
    [],
  );
}
