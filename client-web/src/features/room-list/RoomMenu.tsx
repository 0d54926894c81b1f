import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import Divider from "@mui/material/Divider";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../../components/Announcer";
import { useClient } from "../../matrix/MatrixProvider";
import {
  leaveRoom,
  setMarkedUnread,
  setNotifyLevel,
  setPinned,
  useRoom,
  type NotifyLevel,
} from "../../matrix/rooms";
import { markRead } from "../../matrix/timeline";

interface Props {
  roomId: string;
  anchor: HTMLElement;
  onClose: () => void;
}

const LEVELS: ReadonlyArray<{
  level: NotifyLevel;
  label: "rooms.notifyAll" | "rooms.notifyMentions" | "rooms.notifyNone";
}> = [
  { level: "all", label: "rooms.notifyAll" },
  { level: "mentions", label: "rooms.notifyMentions" },
  { level: "none", label: "rooms.notifyNone" },
];

/** What can be done with a room from the list. */
export function RoomMenu({ roomId, anchor, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const [leaving, setLeaving] = useState(false);
  if (!room) return null;
  const run = (action: () => Promise<unknown>) => {
    onClose();
    action().catch((error: unknown) =>
      alert(t("rooms.failed", { reason: error instanceof Error ? error.message : "" })),
    );
  };
  if (leaving) {
    return (
      <Dialog open onClose={onClose} aria-labelledby="leave-title" aria-describedby="leave-text">
        <DialogTitle id="leave-title">{t("rooms.leaveTitle", { name: room.name })}</DialogTitle>
        <DialogContent>
          <DialogContentText id="leave-text">
            {room.kind === "channel" && !room.private ? t("rooms.leavePublic") : t("rooms.leavePrivate")}
          </DialogContentText>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t("rooms.cancel")}</Button>
          <Button color="error" variant="contained" onClick={() => run(() => leaveRoom(client, roomId))}>
            {t("rooms.leave")}
          </Button>
        </DialogActions>
      </Dialog>
    );
  }
  return (
    <Menu open anchorEl={anchor} onClose={onClose}>
      {room.fresh || room.unread > 0 ? (
        <MenuItem onClick={() => run(() => markRead(client, roomId))}>{t("rooms.markRead")}</MenuItem>
      ) : (
        <MenuItem onClick={() => run(() => setMarkedUnread(client, roomId, true))}>
          {t("rooms.markUnread")}
        </MenuItem>
      )}
      <MenuItem onClick={() => run(() => setPinned(client, roomId, !room.pinned))}>
        {room.pinned ? t("rooms.unpin") : t("rooms.pin")}
      </MenuItem>
      <Divider />
      {LEVELS.map(({ level, label }) => (
        <MenuItem
          key={level}
          role="menuitemradio"
          aria-checked={room.notify === level}
          selected={room.notify === level}
          onClick={() => run(() => setNotifyLevel(client, roomId, level))}
        >
          {t(label)}
        </MenuItem>
      ))}
      <Divider />
      <MenuItem onClick={() => setLeaving(true)}>{t("rooms.leave")}</MenuItem>
    </Menu>
  );
}
