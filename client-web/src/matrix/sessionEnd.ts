// A session ends in all tabs at once, not when each of them next asks the server.

const name = (userId: string) => `orvale-session:${userId}`;

/** Tells the other tabs that the session is over. */
export function tellEnded(userId: string): void {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(name(userId));
  channel.postMessage("ended");
  channel.close();
}

/** Hears that another tab ended the session. */
export function onEndedElsewhere(userId: string, ended: () => void): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(name(userId));
  channel.onmessage = ended;
  return () => channel.close();
}
