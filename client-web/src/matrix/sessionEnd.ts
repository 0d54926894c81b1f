// A session ends in all tabs at once, not when each of them next asks the server.

/** Whose session, on which device. */
interface Whose {
  readonly userId: string;
  readonly deviceId: string;
}

const name = ({ userId, deviceId }: Whose) => `orvale-session:${userId}:${deviceId}`;

/** Tells the other tabs that the session is over. */
export function tellEnded(whose: Whose): void {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(name(whose));
  channel.postMessage("ended");
  channel.close();
}

/** Hears that another tab ended the session. */
export function onEndedElsewhere(whose: Whose, ended: () => void): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(name(whose));
  channel.onmessage = ended;
  return () => channel.close();
}
