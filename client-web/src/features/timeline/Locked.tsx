import LockIcon from "@mui/icons-material/LockOutlined";
import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link as To } from "react-router";

import { readAgain, useEncryption, useEncryptionState } from "../../matrix/encryption/hooks";
import type { LockReason, TimelineEvent } from "../../matrix/events";

/** A key may come late, into the backup too: after so many ms each it is looked for again, without being asked to. */
const LOOKS = [3_000, 7_000, 15_000, 30_000];

/** Instead of a message that cannot be read: why, and what one can do about it. */
export function Locked({ event, lock }: { event: TimelineEvent; lock: LockReason }) {
  const { t } = useTranslation();
  const encryption = useEncryption();
  const state = useEncryptionState();
  const [trying, setTrying] = useState(false);
  const elsewhere = state === "elsewhere";
  const failed = state === "failed";
  const again = () => {
    setTrying(true);
    readAgain(encryption, event)
      .catch(() => undefined)
      .finally(() => setTrying(false));
  };
  const awaited =
    state === "here" && (lock === "before-device" || lock === "not-in-backup" || lock === "no-key");
  useEffect(() => {
    if (!awaited) return;
    const looks = LOOKS.map((after) =>
      setTimeout(() => void readAgain(encryption, event).catch(() => undefined), after),
    );
    return () => looks.forEach(clearTimeout);
  }, [awaited, encryption, event]);
  const text = failed
    ? t("security.failed")
    : elsewhere
      ? t("security.locked.elsewhere")
      : t(`security.locked.${trying ? "waiting" : lock}`);
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "baseline",
        columnGap: 0.75,
        flexWrap: "wrap",
        color: "text.secondary",
      }}
    >
      <Box component="span" sx={{ fontStyle: "italic" }}>
        <LockIcon aria-hidden sx={{ fontSize: 14, verticalAlign: "-2px", marginInlineEnd: 0.75 }} />
        {text}
      </Box>
      {lock === "before-device" && !elsewhere && !failed ? (
        <Link component={To} to="?settings=security" sx={{ minHeight: 24 }}>
          {t("security.locked.recover")}
        </Link>
      ) : (
        (elsewhere || failed || ["no-key", "not-in-backup", "withheld"].includes(lock)) && (
          <Link component="button" type="button" disabled={trying} onClick={again} sx={{ minHeight: 24 }}>
            {t(elsewhere ? "security.useHere" : "security.locked.again")}
          </Link>
        )
      )}
    </Box>
  );
}
