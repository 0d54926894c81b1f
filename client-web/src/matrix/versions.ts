// What the server can do, as it said at the last visit: the rooms of that visit are shown before it is asked again.

import { Method, type IServerVersions, type MatrixClient } from "matrix-js-sdk";
import { buildFeatureSupportMap } from "matrix-js-sdk/lib/feature";

const key = (client: MatrixClient) => `orvale.versions:${client.getHomeserverUrl()}`;

/** What the SDK keeps to itself. */
interface Inside {
  serverVersionsPromise: Promise<IServerVersions> | undefined;
  canSupport: MatrixClient["canSupport"];
}

/** Gives the client the answer of the last visit, and asks for that of the next one. */
export async function recallVersions(client: MatrixClient): Promise<void> {
  const inside = client as unknown as Inside;
  let kept: IServerVersions | null = null;
  try {
    kept = JSON.parse(localStorage.getItem(key(client)) ?? "null") as IServerVersions | null;
  } catch {
    // Asked as on a first visit.
  }
  const asked = client.http.authedRequest<IServerVersions>(
    Method.Get,
    "/_matrix/client/versions",
    undefined,
    undefined,
    { prefix: "" },
  );
  if (kept && Array.isArray(kept.versions)) {
    inside.serverVersionsPromise = Promise.resolve(kept);
    inside.canSupport = await buildFeatureSupportMap(kept);
  } else {
    // On a first visit the client waits for this answer, and does not ask for another.
    const first = asked.then(async (fresh) => {
      inside.canSupport = await buildFeatureSupportMap(fresh);
      return fresh;
    });
    inside.serverVersionsPromise = first;
    first.catch(() => {
      inside.serverVersionsPromise = undefined;
    });
  }
  asked
    .then((fresh) => {
      localStorage.setItem(key(client), JSON.stringify(fresh));
    })
    .catch(() => undefined);
}
