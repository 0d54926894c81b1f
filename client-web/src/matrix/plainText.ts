// What messages say, in words alone.

import type { TFunction } from "i18next";

import type { MessageView } from "./events";

/** What a message says in words: without markup, for screen readers and one-line previews. */
export function plainText(message: MessageView, t: TFunction): string {
  switch (message.kind) {
    case "deleted":
      return deletion(message, t);
    case "locked":
      return t("timeline.locked");
    case "unknown":
      return t("timeline.unknown");
    case "verification":
      return t("timeline.state.verification", { name: message.senderName });
    case "image":
      return [t("timeline.image", { name: message.media?.name ?? "" }), message.body]
        .filter(Boolean)
        .join(", ");
    case "video":
      return [t("timeline.video", { name: message.media?.name ?? "" }), message.body]
        .filter(Boolean)
        .join(", ");
    case "audio":
      return [t("timeline.audio", { name: message.media?.name ?? "" }), message.body]
        .filter(Boolean)
        .join(", ");
    case "file":
      return [t("timeline.file", { name: message.media?.name ?? "" }), message.body]
        .filter(Boolean)
        .join(", ");
    case "poll":
      return `${t("timeline.poll")}: ${message.body}`;
    case "text":
    case "emote":
    case "notice":
      return message.html === null ? message.body : textOf(message.html);
  }
}

function deletion({ removedBy, removedWhy }: MessageView, t: TFunction): string {
  if (removedBy === null) return t("timeline.deleted");
  return removedWhy === ""
    ? t("timeline.removed", { name: removedBy })
    : t("timeline.removedWhy", { name: removedBy, reason: removedWhy });
}

/** The words of a formatted text: what a reader needs, without the signs of markdown in the plain one. */
function textOf(html: string): string {
  const parsed = new DOMParser().parseFromString(
    html.replace(/<mx-reply>[\s\S]*?<\/mx-reply>/gi, ""),
    "text/html",
  );
  return (parsed.body.textContent ?? "").replace(/\s+/g, " ").trim();
}
