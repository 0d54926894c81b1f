// Logging in, coming back, logging out. Speaks plain HTTP and imports no SDK, so that the login page stays light.

import { forgetDrafts } from "./keptTexts";
import { tellEnded } from "./sessionEnd";
import { dropSession, keepSession, readSession, type Session } from "./vault";

export { mayBeHere, onBegunElsewhere } from "./vault";

export type { Session } from "./vault";

/** The ways a server lets people in. */
export interface LoginFlows {
  readonly password: boolean;
  /** `m.login.token`: a one-time token from another session or a single sign-on. */
  readonly token: boolean;
  /** `org.matrix.login.jwt`: a signed token of the management system. */
  readonly jwt: boolean;
  /** `m.login.sso`. */
  readonly sso: boolean;
  /** Whether accounts can be made here. */
  readonly registration: boolean;
}

/** What a server answered instead of letting somebody in. */
export class SessionError extends Error {
  readonly errcode: string;
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(errcode: string, message: string, status: number, retryAfterMs?: number) {
    super(message);
    this.name = "SessionError";
    this.errcode = errcode;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

interface LoginAnswer {
  user_id: string;
  device_id: string;
  access_token: string;
  refresh_token?: string;
  well_known?: { "m.homeserver"?: { base_url?: string } };
}

/** A stage of registration that is still to be done. */
export interface RegistrationChallenge {
  readonly session: string;
  readonly flows: ReadonlyArray<{ readonly stages: readonly string[] }>;
  readonly completed: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
}

export type RegistrationResult =
  { readonly session: Session } | { readonly challenge: RegistrationChallenge };

/** A server that says nothing for so long, in ms, is treated as one that is not there. */
const PATIENCE = 30_000;

async function ask(
  baseUrl: string,
  path: string,
  init: { method?: string; body?: unknown; token?: string } = {},
): Promise<{ status: number; body: unknown }> {
  let response: Response;
  try {
    response = await fetch(new URL(path, baseUrl), {
      method: init.method ?? (init.body === undefined ? "GET" : "POST"),
      headers: {
        ...(init.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(init.token ? { Authorization: `Bearer ${init.token}` } : {}),
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new SessionError("OFFLINE", "The server cannot be reached.", 0);
  }
  const body: unknown = await response.json().catch(() => ({}));
  return { status: response.status, body };
}

function refuse(status: number, body: unknown): never {
  const error = body as { errcode?: string; error?: string; retry_after_ms?: number };
  throw new SessionError(
    error.errcode ?? "M_UNKNOWN",
    error.error ?? `The server answered ${String(status)}.`,
    status,
    error.retry_after_ms,
  );
}

/** Asks how one can log in at this server. */
export async function findFlows(baseUrl: string): Promise<LoginFlows> {
  const [login, registration] = await Promise.all([
    ask(baseUrl, "/_matrix/client/v3/login"),
    ask(baseUrl, "/_matrix/client/v3/register", { body: {} }),
  ]);
  if (login.status !== 200) refuse(login.status, login.body);
  const types = new Set((login.body as { flows?: Array<{ type: string }> }).flows?.map((flow) => flow.type));
  return {
    password: types.has("m.login.password"),
    token: types.has("m.login.token"),
    jwt: types.has("org.matrix.login.jwt"),
    sso: types.has("m.login.sso"),
    registration: registration.status === 401,
  };
}

async function begin(baseUrl: string, answer: LoginAnswer): Promise<Session> {
  const session: Session = {
    baseUrl,
    userId: answer.user_id,
    deviceId: answer.device_id,
    accessToken: answer.access_token,
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
  };
  const before = await readSession();
  if (before && !sameDevice(before, session)) replace(before);
  await keepSession(session);
  return session;
}

/** Whether two sessions are of the same device: then one goes on as the other. */
export function sameDevice(one: Session, other: Session): boolean {
  return one.userId === other.userId && one.deviceId === other.deviceId;
}

/** A browser holds one session: the one before ends in its tabs, here and at the server. */
function replace(before: Session): void {
  if (!isSoft(before)) {
    tellEnded(before);
    void ask(before.baseUrl, "/_matrix/client/v3/logout", {
      method: "POST",
      token: before.accessToken,
    }).catch(() => undefined);
  }
  removeKept(before);
}

/** Removes what a session left for somebody who did not come back. */
function removeKept({ userId, deviceId }: Session): void {
  forgetDrafts(userId);
  try {
    for (const name of [
      `matrix-js-sdk:orvale:${userId}:${deviceId}`,
      `orvale-keys:${userId}:${deviceId}::matrix-sdk-crypto`,
      `orvale-keys:${userId}:${deviceId}::matrix-sdk-crypto-meta`,
    ])
      indexedDB.deleteDatabase(name);
    localStorage.removeItem(`orvale-keys:${userId}:${deviceId}`);
  } catch {
    // Nothing was kept.
  }
}

async function login(
  baseUrl: string,
  credentials: Record<string, unknown>,
  deviceName: string,
): Promise<Session> {
  // Another tab of the same device loses its token by that, and must find the next one when it looks.
  return alone(async () => {
    const { status, body } = await ask(baseUrl, "/_matrix/client/v3/login", {
      body: { ...credentials, initial_device_display_name: deviceName, refresh_token: true },
    });
    if (status !== 200) refuse(status, body);
    return begin(baseUrl, body as LoginAnswer);
  });
}

/** One tab at a time changes the tokens. */
function alone(act: () => Promise<Session>): Promise<Session> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? locks.request<Promise<Session>>("orvale-refresh", act) : act();
}

/** Logs in by name (or full user id) and password. */
export async function loginWithPassword(
  baseUrl: string,
  user: string,
  password: string,
  deviceName: string,
): Promise<Session> {
  return login(
    baseUrl,
    {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: user.trim() },
      password,
      ...(await deviceOf(user)),
    },
    deviceName,
  );
}

/** Logs in by a one-time token. */
export function loginWithToken(baseUrl: string, token: string, deviceName: string): Promise<Session> {
  return login(baseUrl, { type: "m.login.token", token }, deviceName);
}

/**
 * Logs in by a signed token of the management system. Whoever is here already and is handed over once more goes on as the same device,
 * with its keys and what waits to be sent.
 */
export async function loginWithJwt(baseUrl: string, token: string, deviceName: string): Promise<Session> {
  const user = subjectOf(token);
  const device = user === null ? {} : await deviceOf(user);
  return login(baseUrl, { type: "org.matrix.login.jwt", token, ...device }, deviceName);
}

/** Whom a signed token is about. The server checks it; here it is only to know one's own device again. */
function subjectOf(token: string): string | null {
  try {
    const middle = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(middle), (sign) => sign.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}

/**
 * One step of registration. The first call goes without `auth` and usually answers with a challenge; the next ones carry the
 * stage done (`m.login.dummy`, or `m.login.registration_token` with its token).
 */
export async function register(
  baseUrl: string,
  account: { user: string; password: string; deviceName: string },
  auth?: { session: string; type: string; token?: string },
): Promise<RegistrationResult> {
  const { status, body } = await ask(baseUrl, "/_matrix/client/v3/register", {
    body: {
      username: account.user.trim(),
      password: account.password,
      initial_device_display_name: account.deviceName,
      refresh_token: true,
      ...(auth ? { auth } : {}),
    },
  });
  if (status === 200) return { session: await begin(baseUrl, body as LoginAnswer) };
  const waiting = body as Partial<RegistrationChallenge> & { errcode?: string };
  if (status === 401 && waiting.session && waiting.flows && !waiting.errcode) {
    return {
      challenge: {
        session: waiting.session,
        flows: waiting.flows,
        completed: waiting.completed ?? [],
        params: waiting.params ?? {},
      },
    };
  }
  return refuse(status, body);
}

/** Goes on where the last visit ended, without asking the server: a token that is no longer good shows itself soon enough. */
export function restoreSession(): Promise<Session | null> {
  return readSession();
}

/**
 * The server no longer takes the token, but the device stands: what was kept stays, and whoever logs in again as the same person
 * goes on as the same device. https://spec.matrix.org/v1.16/client-server-api/#soft-logout
 */
export async function softenSession(): Promise<void> {
  const kept = await readSession();
  if (!kept) return;
  await keepSession({ baseUrl: kept.baseUrl, userId: kept.userId, deviceId: kept.deviceId, accessToken: "" });
}

/** Whether a session only waits for its person to log in again. */
export function isSoft(session: Session): boolean {
  return session.accessToken === "";
}

/** The device to go on as, if this person's session is kept here: it was softened, or they log in once more. */
async function deviceOf(user: string): Promise<{ device_id?: string }> {
  const kept = await readSession();
  if (!kept) return {};
  const name = user.trim().toLowerCase();
  const local = kept.userId.slice(1, kept.userId.indexOf(":"));
  return name === kept.userId.toLowerCase() || name === local.toLowerCase()
    ? { device_id: kept.deviceId }
    : {};
}

/** Forgets the session in this browser only; another one that took its place stays. */
export async function forgetSession(session: Session): Promise<void> {
  const kept = await readSession();
  if (!kept || sameDevice(kept, session)) await dropSession();
}

/** Ends the session at the server (if it can be reached) and here. */
export async function endSession(session: Session): Promise<void> {
  const kept = await readSession();
  const current = kept && sameDevice(kept, session) ? kept : session;
  await ask(current.baseUrl, "/_matrix/client/v3/logout", {
    method: "POST",
    token: current.accessToken,
  }).catch(() => undefined);
  await forgetSession(session);
}

/** Whether a refusal says nothing about the session: the server was not reached, or has no time. */
export function isPassing(refusal: unknown): boolean {
  if (!(refusal instanceof SessionError)) return false;
  const { status } = refusal;
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/**
 * Trades a refresh token for fresh tokens. Several tabs share one device: whoever holds the lock asks, the others take what was
 * stored meanwhile, because a refresh token is good for one use. Tokens of a session that took this one's place are not taken.
 */
export async function refreshSession(
  session: Session,
  used: string,
): Promise<{ accessToken: string; refreshToken?: string }> {
  const fresh = await alone(async () => {
    const kept = await readSession();
    if (!kept || !sameDevice(kept, session))
      throw new SessionError("M_UNKNOWN_TOKEN", "The session has ended.", 401);
    if (kept.refreshToken && kept.refreshToken !== used) return kept;
    const { status, body } = await ask(kept.baseUrl, "/_matrix/client/v3/refresh", {
      body: { refresh_token: used },
    });
    if (status !== 200) refuse(status, body);
    const answer = body as { access_token: string; refresh_token?: string };
    const next: Session = {
      ...kept,
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token ?? used,
    };
    await keepSession(next);
    return next;
  });
  return {
    accessToken: fresh.accessToken,
    ...(fresh.refreshToken ? { refreshToken: fresh.refreshToken } : {}),
  };
}
