import CheckIcon from "@mui/icons-material/Check";
import Divider from "@mui/material/Divider";
import ListItemIcon from "@mui/material/ListItemIcon";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { useClient } from "../../matrix/MatrixProvider";
import { reasonOf } from "../../matrix/requests";
import { setMarkedUnread, setNotifyLevel, setWeight } from "../../matrix/roomActions";
import { useRoom } from "../../matrix/rooms";
import type { NotifyLevel } from "../../matrix/roomSummary";
import { markRead } from "../../matrix/timeline";
import { LeaveDialog } from "./LeaveDialog";

interface Props {
  roomId: string;
  anchor: HTMLElement;
  /** Only when it makes itself heard. */
  only?: "notify" | undefined;
  /** More ways from here, before everything else. */
  ways?: readonly { readonly label: string; readonly go: () => void }[] | undefined;
  onClose: () => void;
  /** Opens the settings of the room; where it has any. */
  onSettings?: ((roomId: string) => void) | undefined;
  onInvite?: ((roomId: string) => void) | undefined;
}

const LEVELS: readonly { level: NotifyLevel; label: string }[] = [
  { level: "all", label: "rooms.notifyAll" },
  { level: "mentions", label: "rooms.notifyMentions" },
  { level: "none", label: "rooms.notifyNone" },
];

/** What can be done with a room. */
export function RoomMenu({ roomId, anchor, only, ways = [], onClose, onSettings, onInvite }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const [leaving, setLeaving] = useState(false);
  if (!room) return null;
  const run = (action: () => Promise<unknown>, done?: string) => {
    onClose();
    action().then(
      () => {
        if (done) tell(done);
      },
      (error: unknown) => alert(t("rooms.failed", { reason: reasonOf(error) })),
    );
  };
  if (leaving) return <LeaveDialog roomId={roomId} onClose={onClose} />;
  const levels = LEVELS.map(({ level, label }) => (
    <MenuItem
      key={level}
      role="menuitemradio"
      aria-checked={room.notify === level}
      onClick={() => run(() => setNotifyLevel(client, roomId, level), t(label))}
      sx={{ paddingInlineStart: 1 }}
    >
      <ListItemIcon sx={{ minWidth: "28px !important" }}>
        {room.notify === level && <CheckIcon sx={{ fontSize: 18 }} />}
      </ListItemIcon>
      {t(label)}
    </MenuItem>
  ));
  return (
    <Menu
      open
      anchorEl={anchor}
      onClose={onClose}
      slotProps={{ list: { "aria-label": t("rooms.menu", { name: room.name }) } }}
    >
      {only === "notify"
        ? levels
        : [
            ...ways.map(({ label, go }) => (
              <MenuItem
                key={label}
                onClick={() => {
                  onClose();
                  go();
                }}
              >
                {label}
              </MenuItem>
            )),
            ways.length > 0 && <Divider key="line0" />,
            room.fresh || room.unread > 0 ? (
              <MenuItem key="read" onClick={() => run(() => markRead(client, roomId))}>
                {t("rooms.markRead")}
              </MenuItem>
            ) : (
              <MenuItem key="unread" onClick={() => run(() => setMarkedUnread(client, roomId, true))}>
                {t("rooms.markUnread")}
              </MenuItem>
            ),
            <MenuItem
              key="pin"
              onClick={() => run(() => setWeight(client, roomId, room.pinned ? "normal" : "pinned"))}
            >
              {t(room.pinned ? "rooms.unpin" : "rooms.pin")}
            </MenuItem>,
            <MenuItem
              key="low"
              onClick={() => run(() => setWeight(client, roomId, room.low ? "normal" : "low"))}
            >
              {t(room.low ? "rooms.notLow" : "rooms.low")}
            </MenuItem>,
            <Divider key="line" />,
            ...levels,
            <Divider key="line2" />,
            onInvite && room.kind !== "direct" && (
              <MenuItem
                key="invite"
                onClick={() => {
                  onClose();
                  onInvite(roomId);
                }}
              >
                {t("rooms.invite")}
              </MenuItem>
            ),
            onSettings && room.kind !== "direct" && (
              <MenuItem
                key="settings"
                onClick={() => {
                  onClose();
                  onSettings(roomId);
                }}
              >
                {t(room.kind === "channel" ? "rooms.settings" : "rooms.groupSettings")}
              </MenuItem>
            ),
            <MenuItem key="leave" onClick={() => setLeaving(true)} sx={{ color: "dangerText" }}>
              {t("rooms.leave")}
            </MenuItem>,
          ]}
    </Menu>
  );
}
