import { useTranslation } from "react-i18next";

import { usePreferences } from "../../preferences/store";
import { absolute, complete, relative, useMinute } from "../../i18n/times";

/** A time as the preferences want it; the whole of it in the tooltip. */
export function Time({ time }: { time: number }) {
  const { t, i18n } = useTranslation();
  const { timestamp_format } = usePreferences();
  useMinute();
  const shown =
    timestamp_format === "relative"
      ? relative(time, i18n.language, t("timeline.time.now"))
      : absolute(time, i18n.language);
  return (
    <time dateTime={new Date(time).toISOString()} title={complete(time, i18n.language)}>
      {shown}
    </time>
  );
}
