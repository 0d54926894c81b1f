import type { ReactNode } from "react";

import { useCalm } from "../../components/calm";
import { Later } from "../../components/Later";
import { MessageSkeleton } from "../../components/Skeletons";
import { useSyncState } from "../../matrix/MatrixProvider";
import { useRoomFacts } from "../../matrix/rooms";

/** An address may name a room before anything is known of it: what is in it is drawn when it is, or when it is sure not to be. */
export function WhenKnown({ roomId, children }: { roomId: string; children: ReactNode }) {
  const room = useRoomFacts(roomId);
  const sync = useSyncState();
  const waiting = useCalm(!room && sync !== "live");
  if (!waiting) return children;
  return (
    <Later>
      <MessageSkeleton />
    </Later>
  );
}
