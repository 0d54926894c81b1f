import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { dayName, useMinute } from "../../i18n/times";

/** A border, not a background: that stays where the system chooses the colours. */
const line = { flex: 1, borderTop: "1px solid", borderColor: "divider" } as const;

/** Where a day begins. */
export function DayLine({ day }: { day: number }) {
  const { t, i18n } = useTranslation();
  useMinute();
  return (
    <Box
      role="separator"
      aria-label={dayName(day, i18n.language, {
        today: t("timeline.today"),
        yesterday: t("timeline.yesterday"),
      })}
      sx={{ display: "flex", alignItems: "center", gap: 1.5, px: 2, pt: 2, pb: 0.5 }}
    >
      <Box sx={line} />
      <Box aria-hidden sx={{ typography: "caption", fontWeight: 600, color: "text.secondary" }}>
        {dayName(day, i18n.language, { today: t("timeline.today"), yesterday: t("timeline.yesterday") })}
      </Box>
      <Box sx={line} />
    </Box>
  );
}

/** Where the unread part begins. */
export function UnreadLine() {
  const { t } = useTranslation();
  return (
    <Box
      role="separator"
      aria-label={t("timeline.unread")}
      data-unread-line
      sx={{ display: "flex", alignItems: "center", gap: 1, px: 2, pt: 1 }}
    >
      <Box sx={{ flex: 1, borderTop: "2px solid", borderColor: "dangerText", borderRadius: "1px" }} />
      <Box aria-hidden sx={{ typography: "caption", fontWeight: 700, color: "dangerText" }}>
        {t("timeline.unread")}
      </Box>
    </Box>
  );
}

/** Between the root of a thread and what was answered. */
export function RepliesLine() {
  return (
    <Box
      aria-hidden
      sx={{ display: "flex", paddingInlineStart: "64px", paddingInlineEnd: 2, pt: 1, pb: 0.5 }}
    >
      <Box sx={line} />
    </Box>
  );
}
