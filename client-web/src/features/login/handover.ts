import { loginWithJwt, loginWithToken, type Session, SessionError } from "../../matrix/session";

/**
 * A token in the part of the address that browsers do not send: `#token=…`.
 *
 * The management system opens the chat with a signed token (three parts with dots between), another session of ours with a
 * one-time one. It is taken out of the address at once, so that it stays in no history and is not used twice.
 */
export function takeToken(): string | null {
  const found = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (!found) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return decodeURIComponent(found);
}

/** Logs in by a token of either kind. */
export function logInByToken(token: string, deviceName: string): Promise<Session> {
  if (token.trim() === "") throw new SessionError("M_FORBIDDEN", "The token is empty", 403);
  const signed = token.split(".").length === 3;
  return (signed ? loginWithJwt : loginWithToken)(location.origin, token, deviceName);
}
