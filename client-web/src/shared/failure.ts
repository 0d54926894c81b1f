import type { TFunction } from "i18next";

import { errcodeOf, isUnreachable, reasonOf } from "../matrix/requests";

/** What to say when something did not work: why, in words for people. */
export function failureOf(error: unknown, t: TFunction): string {
  return t("common.failed", { reason: isUnreachable(error) ? t("common.offline") : reasonOf(error) });
}

/** The same where a password was asked for: that it is wrong is the likeliest reason. */
export function refusalOf(error: unknown, t: TFunction): string {
  return errcodeOf(error) === "M_FORBIDDEN" ? t("account.wrong") : failureOf(error, t);
}
