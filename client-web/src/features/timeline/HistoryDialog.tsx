import Box from "@mui/material/Box";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { Later } from "../../components/Later";
import { Sheet } from "../../components/Sheet";
import { ListSkeleton } from "../../components/Skeletons";
import { complete } from "../../i18n/times";
import type { TimelineEvent } from "../../matrix/events";
import { loadVersions, type Version } from "../../matrix/history";
import { useClient } from "../../matrix/MatrixProvider";
import { unlessOver } from "../../matrix/unlessOver";

/** What a message said before, the newest first. */
export function HistoryDialog({ event, onClose }: { event: TimelineEvent; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const [versions, setVersions] = useState<readonly Version[] | "failed" | null>(null);
  useEffect(
    () => unlessOver(loadVersions(client, event), setVersions, () => setVersions("failed")),
    [client, event],
  );
  const loading = useCalm(versions === null);
  return (
    <Sheet title={t("messages.versions")} onClose={onClose} width="xs" toRead>
      {loading || versions === null ? (
        <Later>
          <ListSkeleton rows={3} height={56} />
        </Later>
      ) : versions === "failed" ? (
        <Box role="alert">{t("messages.versionsFailed")}</Box>
      ) : (
        <Box component="ol" reversed sx={{ listStyle: "none", m: 0, p: 0 }}>
          {versions.map((version, at) => (
            <Box
              component="li"
              key={version.eventId}
              sx={{ py: 1.25, borderBottom: at < versions.length - 1 ? 1 : 0, borderColor: "divider" }}
            >
              <Box sx={{ typography: "caption", color: "text.secondary" }}>
                {complete(version.time, i18n.language)}
                {at === 0 ? ` · ${t("messages.now")}` : ""}
                {at === versions.length - 1 ? ` · ${t("messages.original")}` : ""}
              </Box>
              <Box dir="auto" sx={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                {version.body}
              </Box>
            </Box>
          ))}
        </Box>
      )}
    </Sheet>
  );
}
