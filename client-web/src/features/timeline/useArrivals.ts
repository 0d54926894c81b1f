import type { TFunction } from "i18next";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { viewOf, type TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { plainText } from "./spoken";

const GATHER = 1_000;

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

/** Says what others write while somebody watches; bursts are summed up, history is silent. */
export function useArrivals(arrived: number, latest: () => TimelineEvent | null): void {
  const { t } = useTranslation();
  const client = useClient();
  const heard = useRef(arrived);
  const waiting = useRef<Array<{ name: string; text: string }>>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (arrived <= heard.current) return;
    heard.current = arrived;
    const event = latest();
    if (!event) return;
    const message = viewOf(client, event);
    waiting.current.push({ name: message.senderName, text: plainText(message, t) });
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      announce(sentenceFor(waiting.current.splice(0), t));
    }, GATHER / 4);
  }, [arrived, client, latest, t]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}
