import type { TFunction } from "i18next";

import type { MessageView, Reaction } from "../../matrix/events";
import { plainText } from "../../matrix/plainText";
import { absolute } from "../../i18n/times";

/** Author, text, then extras, the time last. */
export function spoken(
  message: MessageView,
  reactions: readonly Reaction[],
  t: TFunction,
  language: string,
): string {
  const extras = [
    message.edited === null ? "" : t("timeline.edited"),
    message.send === "failed" ? t("timeline.notSent") : "",
    message.change === "failed" ? t("timeline.notChanged") : "",
    message.send === "waiting" || message.change === "waiting" ? t("timeline.waiting") : "",
    ...reactions.map((reaction) => `${reaction.emoji} ${String(reaction.count)}`),
  ].filter(Boolean);
  return [message.senderName, plainText(message, t), ...extras, absolute(message.time, language)].join(", ");
}
