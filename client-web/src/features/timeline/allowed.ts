import { useMemo } from "react";

import type { MessageView, TimelineEvent } from "../../matrix/events";
import { useOpenWindows } from "../../matrix/policy";
import { usePowers } from "../../matrix/timeline";

/** What this person may do with a message now. */
export interface Allowed {
  readonly reply: boolean;
  readonly thread: boolean;
  readonly react: boolean;
  readonly edit: boolean;
  readonly delete: boolean;
}

/** Follows the server's rules; buttons vanish when their window closes. */
export function useAllowed(event: TimelineEvent, message: MessageView, inThread: boolean): Allowed {
  const open = useOpenWindows(event, message.mine);
  const powers = usePowers(message.roomId);
  const sent = message.send === "sent" && message.eventId.startsWith("$");
  const there = sent && message.kind !== "deleted";
  const words = message.kind === "text" || message.kind === "emote" || message.kind === "notice";
  return useMemo(
    () => ({
      reply: there && powers.post,
      thread: there && powers.post && !inThread,
      react: there && powers.react,
      edit: there && words && powers.post && open.edit,
      delete: there && (open.delete || powers.redactOthers),
    }),
    [there, words, powers, open.edit, open.delete, inThread],
  );
}
