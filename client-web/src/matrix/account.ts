// One's own account: its password, and its end.

import type { MatrixClient } from "matrix-js-sdk";

type Auth = Record<string, unknown> | null;

/** Asks, and where the server wants a proof asks again with the password. */
async function proven(
  client: MatrixClient,
  password: string,
  ask: (auth: Auth) => Promise<unknown>,
): Promise<void> {
  try {
    await ask(null);
  } catch (refused) {
    const { httpStatus, data } = refused as {
      httpStatus?: number;
      data?: { session?: string; errcode?: string };
    };
    if (httpStatus !== 401 || !data?.session || data.errcode) throw refused;
    await ask({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: client.getSafeUserId() },
      password,
      session: data.session,
    });
  }
}

/** Changes the password; the other devices stay logged in, or not. */
export async function changePassword(
  client: MatrixClient,
  before: string,
  after: string,
  logOutOthers: boolean,
): Promise<void> {
  await proven(client, before, (auth) => client.setPassword(auth as never, after, logOutOthers));
}

/** Ends the account for ever. Its messages stay, or, if it is to be erased, are hidden from who comes later. */
export async function deactivate(client: MatrixClient, password: string, erase: boolean): Promise<void> {
  await proven(client, password, (auth) => client.deactivateAccount(auth as never, erase));
}
