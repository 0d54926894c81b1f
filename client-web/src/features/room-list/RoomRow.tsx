import LockIcon from "@mui/icons-material/Lock";
import MoreIcon from "@mui/icons-material/MoreHoriz";
import NotificationsOffIcon from "@mui/icons-material/NotificationsOffOutlined";
import PushPinIcon from "@mui/icons-material/PushPin";
import TagIcon from "@mui/icons-material/Tag";
import VpnKeyIcon from "@mui/icons-material/VpnKeyOutlined";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import { memo, useState, type MouseEvent } from "react";
import { useTranslation } from "react-i18next";

import { CountBadge } from "../../components/CountBadge";
import { hidden } from "../../components/hidden";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { useMedia } from "../../matrix/media";
import { useClient } from "../../matrix/MatrixProvider";
import { loadMembers } from "../../matrix/members";
import { usePresence } from "../../matrix/presence";
import { namesIn, useRoom } from "../../matrix/rooms";
import type { RoomSummary } from "../../matrix/roomSummary";

interface Props {
  roomId: string;
  active: boolean;
  tabbable: boolean;
  onOpen: (roomId: string) => void;
  onMenu: (roomId: string, anchor: HTMLElement) => void;
}

const AVATAR = { width: 20, height: 20, crop: true };

/** A room in the list. Drawn again only when what it shows changed. */
export const RoomRow = memo(function RoomRow({ roomId, active, tabbable, onOpen, onMenu }: Props) {
  const { t } = useTranslation();
  const room = useRoom(roomId);
  const [near, setNear] = useState(false);
  if (!room) return null;
  const unread = room.notify === "none" ? 0 : room.unread;
  const loud = room.mentions > 0 || (room.kind === "direct" && unread > 0);
  const bold = (room.fresh && room.notify !== "none") || unread > 0 || room.invited;
  const menu = (press: MouseEvent<HTMLElement>) => {
    press.preventDefault();
    press.stopPropagation();
    onMenu(roomId, press.currentTarget);
  };
  return (
    <Box
      onMouseEnter={() => setNear(true)}
      onMouseLeave={() => setNear(false)}
      onContextMenu={menu}
      sx={{ position: "relative", px: 1 }}
    >
      <Box
        component="button"
        type="button"
        data-room={roomId}
        aria-current={active ? "page" : undefined}
        tabIndex={tabbable ? 0 : -1}
        onClick={() => onOpen(roomId)}
        sx={(theme) => ({
          all: "unset",
          boxSizing: "border-box",
          display: "flex",
          alignItems: "center",
          gap: 1,
          width: "100%",
          minHeight: theme.measures.row,
          px: 1,
          borderRadius: "8px",
          cursor: "pointer",
          color: bold || active ? "text.primary" : "text.secondary",
          fontWeight: bold ? 700 : 400,
          bgcolor: active ? "surface.selected" : undefined,
          // A shade is not contrast enough.
          ...(active &&
            theme.highContrast && { boxShadow: `inset 0 0 0 2px ${theme.palette.border.control}` }),
          "&:hover": { bgcolor: active ? "surface.selected" : "surface.sidebarHover" },
          "&:focus-visible": {
            outline: "2px solid",
            outlineColor: theme.palette.focus,
            outlineOffset: "-2px",
          },
          "@media (pointer: coarse)": { minHeight: 44 },
        })}
      >
        <Mark room={room} />
        <Box sx={{ flex: 1, minWidth: 0, py: 0.25 }}>
          <Box
            dir="auto"
            sx={{
              overflow: "hidden",
              textOverflow: "ellipsis",
              whiteSpace: "nowrap",
              typography: "body2",
              fontSize: "0.875rem",
              fontWeight: "inherit",
            }}
          >
            {room.kind === "channel" && (
              <Box component="span" sx={hidden}>
                #{" "}
              </Box>
            )}
            {room.name}
            {room.private && (
              <Box component="span" sx={hidden}>
                , {t("rooms.private")}
              </Box>
            )}
            {room.readOnly && (
              <Box component="span" sx={{ fontWeight: 400, color: "text.secondary" }}>
                {" "}
                {t("rooms.readOnly")}
              </Box>
            )}
          </Box>
          {room.partner && room.kind === "direct" && <Status userId={room.partner} />}
        </Box>
        {room.kind === "group" && room.people > 2 && <People roomId={roomId} count={room.people} />}
        {room.encrypted && (
          <VpnKeyIcon titleAccess={t("members.encrypted")} sx={{ fontSize: 13, color: "text.secondary" }} />
        )}
        {room.pinned && !near && (
          <PushPinIcon titleAccess={t("rooms.pinned")} sx={{ fontSize: 13, color: "text.secondary" }} />
        )}
        {room.notify === "none" && !near && (
          <NotificationsOffIcon
            titleAccess={t("rooms.muted")}
            sx={{ fontSize: 14, color: "text.secondary" }}
          />
        )}
        {room.mentions > 0 ? (
          <CountBadge
            count={Math.max(room.mentions, unread)}
            loud
            label={t("rooms.mentions", { count: room.mentions })}
          />
        ) : (
          <CountBadge count={unread} loud={loud} label={t("rooms.unread", { count: unread })} />
        )}
        {bold && unread === 0 && room.mentions === 0 && (
          <Box component="span" sx={hidden}>
            {t("rooms.fresh")}
          </Box>
        )}
      </Box>
      {near && (
        <IconButton
          size="small"
          tabIndex={-1}
          aria-label={t("rooms.menu", { name: room.name })}
          onClick={menu}
          sx={{
            position: "absolute",
            insetInlineEnd: 12,
            top: "50%",
            transform: "translateY(-50%)",
            width: 26,
            height: 26,
            bgcolor: "surface.raised",
            visibility: unread > 0 || room.mentions > 0 ? "hidden" : "visible",
          }}
        >
          <MoreIcon sx={{ fontSize: 16 }} />
        </IconButton>
      )}
    </Box>
  );
});

/** How many are in a group; who, to whoever points at it. */
function People({ roomId, count }: { roomId: string; count: number }) {
  const { t } = useTranslation();
  const client = useClient();
  const [tip, setTip] = useState<string | null>(null);
  const look = () => {
    const tell = () => {
      const { names, more } = namesIn(client, roomId);
      const list = names.join(", ");
      setTip(more > 0 ? t("members.andMore", { names: list, count: more }) : list);
    };
    tell();
    void loadMembers(client, roomId).then(tell);
  };
  return (
    <Box
      component="span"
      data-tip={tip ?? t("rooms.people", { count })}
      onPointerEnter={look}
      sx={{ typography: "caption", color: "text.secondary", fontWeight: 400 }}
    >
      <span aria-hidden>×{count}</span>
      <Box component="span" sx={hidden}>
        , {t("rooms.people", { count })}
      </Box>
    </Box>
  );
}

function Mark({ room }: { room: RoomSummary }) {
  const { url } = useMedia(room.kind === "channel" ? null : room.avatar, AVATAR);
  if (room.kind === "channel") {
    const Icon = room.private ? LockIcon : TagIcon;
    return (
      <Box aria-hidden sx={{ width: 20, display: "grid", placeItems: "center", color: "text.secondary" }}>
        <Icon sx={{ fontSize: room.private ? 15 : 17 }} />
      </Box>
    );
  }
  return (
    <Box sx={{ position: "relative", width: 20, height: 20, flex: "none" }}>
      <PersonAvatar
        name={room.name}
        id={room.partner ?? room.roomId}
        src={url ?? undefined}
        size={20}
        square={room.kind === "group"}
      />
      {room.partner && <Dot userId={room.partner} />}
    </Box>
  );
}

/** Apart from the row, so that presence draws nothing but itself. */
function Dot({ userId }: { userId: string }) {
  const { state } = usePresence(userId);
  return (
    <Box sx={{ position: "absolute", bottom: -4, insetInlineEnd: -5, display: "flex" }}>
      <PresenceDot presence={state} size={8} on="sidebar" />
    </Box>
  );
}

function Status({ userId }: { userId: string }) {
  const { t } = useTranslation();
  const { status } = usePresence(userId);
  if (!status) return null;
  return (
    <Box
      dir="auto"
      sx={{
        typography: "caption",
        fontWeight: 400,
        color: "text.secondary",
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
      }}
    >
      {t("rooms.status", { status })}
    </Box>
  );
}
