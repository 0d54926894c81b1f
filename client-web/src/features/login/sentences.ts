import type { TFunction } from "i18next";

import { SessionError } from "../../matrix/session";

/** What a refusal means for the person who reads it, and what to do. */
export function sentenceFor(t: TFunction, refusal: unknown, byLink = false): string {
  if (!(refusal instanceof SessionError)) return t("login.error.other", { reason: String(refusal) });
  if (byLink && ["M_FORBIDDEN", "M_UNKNOWN_TOKEN", "M_UNAUTHORIZED"].includes(refusal.errcode)) {
    return t("login.error.token");
  }
  switch (refusal.errcode) {
    case "OFFLINE":
      return t("login.error.offline");
    case "M_FORBIDDEN":
      return t("login.error.forbidden");
    case "M_USER_DEACTIVATED":
      return t("login.error.deactivated");
    case "M_LIMIT_EXCEEDED":
      return t("login.error.limit", { count: Math.max(1, Math.ceil((refusal.retryAfterMs ?? 1000) / 1000)) });
    case "M_USER_IN_USE":
      return t("login.error.taken");
    case "M_INVALID_USERNAME":
    case "M_EXCLUSIVE":
      return t("login.error.name");
    case "M_WEAK_PASSWORD":
    case "M_PASSWORD_TOO_SHORT":
      return t("login.error.weak");
    default:
      return t("login.error.other", { reason: refusal.message });
  }
}
