import Close from "@mui/icons-material/Close";
import PushPin from "@mui/icons-material/PushPinOutlined";
import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import { PanelHeader } from "../../components/PanelHeader";
import { useClient } from "../../matrix/MatrixProvider";
import { setPin, usePinned } from "../../matrix/pins";
import { usePowers } from "../../matrix/timeline";
import { KeptMessage } from "./KeptMessage";

interface Props {
  roomId: string;
  onJump: (eventId: string) => void;
  onClose: () => void;
}

/** What a room keeps at hand for everybody, the newest first. */
export function Pinned({ roomId, onJump, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const pinned = usePinned(roomId);
  const { pin } = usePowers(roomId);
  const unpin = (eventId: string) =>
    setPin(client, roomId, eventId, false).then(
      () => tell(t("collections.unpinned")),
      (reason: unknown) =>
        alert(t("common.failed", { reason: reason instanceof Error ? reason.message : String(reason) })),
    );
  return (
    <>
      <PanelHeader title={t("collections.pinned")} closeLabel={t("collections.close")} onClose={onClose} />
      {pinned.length === 0 ? (
        <EmptyState
          icon={<PushPin />}
          title={t("collections.noPins")}
          text={t(pin ? "collections.noPinsText" : "collections.noPinsTextOthers")}
        />
      ) : (
        <Box
          component="ul"
          aria-label={t("collections.pinned")}
          sx={{ listStyle: "none", m: 0, p: 0.75, flex: 1, minHeight: 0, overflowY: "auto" }}
        >
          {[...pinned].reverse().map((eventId) => (
            <KeptMessage
              key={eventId}
              roomId={roomId}
              eventId={eventId}
              onOpen={() => onJump(eventId)}
              actions={
                pin && (
                  <IconAction label={t("collections.unpin")} onClick={() => void unpin(eventId)}>
                    <Close sx={{ fontSize: 18 }} />
                  </IconAction>
                )
              }
            />
          ))}
        </Box>
      )}
    </>
  );
}
