import Bookmark from "@mui/icons-material/BookmarkBorder";
import BookmarkRemove from "@mui/icons-material/BookmarkRemoveOutlined";
import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import { Sheet } from "../../components/Sheet";
import { useClient } from "../../matrix/MatrixProvider";
import { useRoom } from "../../matrix/rooms";
import { setSaved, useSaved } from "../../matrix/saved";
import { KeptMessage } from "./KeptMessage";

interface Props {
  onOpen: (roomId: string, eventId: string) => void;
  onClose: () => void;
}

/** What this person keeps for themselves, from everywhere. */
export function Saved({ onOpen, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const saved = useSaved();
  return (
    <Sheet title={t("collections.saved")} onClose={onClose} width="sm" bare>
      <Box sx={{ display: "flex", flexDirection: "column", minHeight: 320, overflowY: "auto", p: 0.75 }}>
        {saved.length === 0 ? (
          <EmptyState
            icon={<Bookmark />}
            title={t("collections.noSaved")}
            text={t("collections.noSavedText")}
          />
        ) : (
          <Box component="ul" aria-label={t("collections.saved")} sx={{ listStyle: "none", m: 0, p: 0 }}>
            {saved.map(({ room_id: roomId, event_id: eventId }) => (
              <KeptMessage
                key={eventId}
                roomId={roomId}
                eventId={eventId}
                where={<Where roomId={roomId} />}
                onOpen={() => onOpen(roomId, eventId)}
                actions={
                  <IconAction
                    label={t("collections.unsave")}
                    onClick={() => void setSaved(client, { roomId, eventId }, false)}
                  >
                    <BookmarkRemove sx={{ fontSize: 20 }} />
                  </IconAction>
                }
              />
            ))}
          </Box>
        )}
      </Box>
    </Sheet>
  );
}

function Where({ roomId }: { roomId: string }) {
  const room = useRoom(roomId);
  return room ? (room.kind === "channel" ? `# ${room.name}` : room.name) : null;
}
