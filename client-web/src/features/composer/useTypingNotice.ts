import { useCallback, useEffect, useRef } from "react";

import { useClient } from "../../matrix/MatrixProvider";
import { sendTyping } from "../../matrix/send";

/** Told again while typing goes on. */
const AGAIN = 4_000;
/** Silence after which typing has stopped. */
const SILENCE = 4_000;

/** Tells others that this person types, and at once when that is over. */
export function useTypingNotice(roomId: string): (typing: boolean) => void {
  const client = useClient();
  const told = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stop = useCallback(() => {
    clearTimeout(timer.current);
    if (told.current === 0) return;
    told.current = 0;
    sendTyping(client, roomId, false);
  }, [client, roomId]);
  useEffect(() => stop, [stop]);
  return useCallback(
    (typing) => {
      if (!typing) {
        stop();
        return;
      }
      const now = Date.now();
      if (now - told.current > AGAIN) {
        told.current = now;
        sendTyping(client, roomId, true);
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(stop, SILENCE);
    },
    [client, roomId, stop],
  );
}
