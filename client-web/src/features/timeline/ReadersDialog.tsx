import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import type { TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { loadMembers } from "../../matrix/members";
import { useReaders, type Reader } from "../../matrix/readers";
import { Face } from "../../shared/Face";
import { absolute } from "../../i18n/times";

/** Who has read a message, and who has not yet. */
export function ReadersDialog({ event, onClose }: { event: TimelineEvent; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const readers = useReaders(event);
  const roomId = event.getRoomId() ?? "";
  useEffect(() => {
    void loadMembers(client, roomId);
  }, [client, roomId]);
  const read = readers.filter((reader) => reader.at !== null);
  const unread = readers.filter((reader) => reader.at === null);
  return (
    <Sheet title={t("people.readers")} onClose={onClose} width="xs" toRead>
      {read.length === 0 ? (
        <Typography sx={{ color: "text.secondary", pb: 1 }}>{t("people.readersNone")}</Typography>
      ) : (
        <People label={t("people.readers")} readers={read} />
      )}
      {unread.length > 0 && (
        <>
          <Typography variant="overline" component="h3" sx={{ color: "text.secondary", mt: 1.5 }}>
            {t("people.readersNot")}
          </Typography>
          <People label={t("people.readersNot")} readers={unread} />
        </>
      )}
    </Sheet>
  );
}

function People({ label, readers }: { label: string; readers: readonly Reader[] }) {
  const { t, i18n } = useTranslation();
  return (
    <Box component="ul" aria-label={label} sx={{ listStyle: "none", m: 0, p: 0, pb: 1 }}>
      {readers.map((reader) => (
        <Box
          component="li"
          key={reader.userId}
          sx={{ display: "flex", alignItems: "center", gap: 1.25, minHeight: 48 }}
        >
          <Face userId={reader.userId} name={reader.name} avatar={reader.avatar} on="raised" />
          <Box sx={{ minWidth: 0 }}>
            <Typography noWrap dir="auto" sx={{ fontWeight: 550 }}>
              {reader.name}
            </Typography>
            {reader.at !== null && reader.at > 0 && (
              <Typography variant="caption" component="div" sx={{ color: "text.secondary" }}>
                {t("people.readAt", { when: absolute(reader.at, i18n.language) })}
              </Typography>
            )}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
