import ArrowBackIcon from "@mui/icons-material/ArrowBack";
import GroupIcon from "@mui/icons-material/GroupOutlined";
import MoreIcon from "@mui/icons-material/MoreVert";
import NotificationsIcon from "@mui/icons-material/NotificationsNoneOutlined";
import NotificationsOffIcon from "@mui/icons-material/NotificationsOffOutlined";
import MentionsIcon from "@mui/icons-material/AlternateEmail";
import LockIcon from "@mui/icons-material/Lock";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Typography from "@mui/material/Typography";
import { memo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { useMembers } from "../../matrix/members";
import { useMedia } from "../../matrix/media";
import { usePresence } from "../../matrix/presence";
import { useRoomFacts, type RoomFacts } from "../../matrix/rooms";
import { EncryptionMark } from "./EncryptionMark";

interface Props {
  roomId: string;
  /** Opens or closes the list of members. */
  onToggleMembers?: () => void;
  membersOpen?: boolean;
  /** The title leads to what it names: the person, the settings. */
  onOpenTitle?: () => void;
  /** Draws the menu of the room. */
  menu?: (roomId: string, anchor: HTMLElement, close: () => void, only?: "notify") => ReactNode;
  /** Where the list of rooms is another page. */
  onBack?: () => void;
  /** More buttons at the end. */
  actions?: ReactNode;
}

const AVATAR = { width: 30, height: 30, crop: true };

/** What is open: who or which channel, with whom. */
export const RoomHeader = memo(function RoomHeader({
  roomId,
  onToggleMembers,
  membersOpen = false,
  onOpenTitle,
  menu,
  onBack,
  actions,
}: Props) {
  const { t } = useTranslation();
  const room = useRoomFacts(roomId);
  return (
    <Box
      component="header"
      sx={(theme) => ({
        display: "flex",
        alignItems: "center",
        gap: 1.25,
        height: theme.measures.bar,
        flex: "none",
        px: { xs: 1, md: 2 },
        borderBottom: 1,
        borderColor: "divider",
        minWidth: 0,
      })}
    >
      {onBack && (
        <IconAction label={t("members.back")} onClick={onBack}>
          <ArrowBackIcon className="pointing" fontSize="small" />
        </IconAction>
      )}
      {room && <Mark room={room} />}
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: "flex", alignItems: "center", gap: 0.75, minWidth: 0 }}>
          <Typography
            variant="h2"
            component="h1"
            dir="auto"
            noWrap
            // Room for a finger above and below, which moves nothing.
            sx={{ "@media (pointer: coarse)": { py: "11px", my: "-11px" } }}
          >
            {room && onOpenTitle ? (
              <Box
                component="button"
                type="button"
                data-tip={t("members.about", { name: room.name })}
                onClick={onOpenTitle}
                sx={(theme) => ({
                  all: "unset",
                  cursor: "pointer",
                  maxWidth: "100%",
                  overflow: "hidden",
                  textOverflow: "ellipsis",
                  verticalAlign: "bottom",
                  borderRadius: "4px",
                  "@media (pointer: coarse)": { py: "11px", my: "-11px" },
                  "&:hover": { textDecoration: "underline", textUnderlineOffset: "0.15em" },
                  "&:focus-visible": { outline: "2px solid", outlineColor: theme.palette.focus },
                })}
              >
                {room.name}
              </Box>
            ) : (
              (room?.name ?? "\u00a0")
            )}
          </Typography>
          {room?.encrypted && <EncryptionMark roomId={roomId} />}
        </Box>
        {room && <Below room={room} />}
      </Box>
      {actions}
      {room && onToggleMembers && room.kind !== "direct" && (
        <People room={room} open={membersOpen} onToggle={onToggleMembers} />
      )}
      {room && menu && <Menus room={room} menu={menu} />}
    </Box>
  );
});

const LEVELS = {
  all: { Icon: NotificationsIcon, label: "rooms.notifyAll" },
  mentions: { Icon: MentionsIcon, label: "rooms.notifyMentions" },
  none: { Icon: NotificationsOffIcon, label: "rooms.notifyNone" },
} as const;

/** When the room makes itself heard, and everything else one can do with it. */
function Menus({ room, menu }: { room: RoomFacts; menu: NonNullable<Props["menu"]> }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<{ anchor: HTMLElement; only?: "notify" } | null>(null);
  const { Icon, label } = LEVELS[room.notify];
  return (
    <>
      <IconAction
        label={t("members.notify", { level: t(label) })}
        aria-haspopup="menu"
        onClick={(press) => setOpen({ anchor: press.currentTarget, only: "notify" })}
        sx={{ display: { xs: "none", sm: "inline-flex" } }}
      >
        <Icon fontSize="small" />
      </IconAction>
      <IconAction
        label={t("members.options")}
        aria-haspopup="menu"
        onClick={(press) => setOpen({ anchor: press.currentTarget })}
      >
        <MoreIcon fontSize="small" />
      </IconAction>
      {open && menu(room.roomId, open.anchor, () => setOpen(null), open.only)}
    </>
  );
}

function Mark({ room }: { room: RoomFacts }) {
  const { url } = useMedia(room.kind === "channel" ? null : room.avatar, AVATAR);
  if (room.kind === "channel") {
    const Icon = room.private ? LockIcon : TagIcon;
    return (
      <Icon titleAccess={room.private ? undefined : "#"} sx={{ fontSize: 22, color: "text.secondary" }} />
    );
  }
  return (
    <Box sx={{ position: "relative" }}>
      <PersonAvatar
        name={room.name}
        id={room.partner ?? room.roomId}
        src={url ?? undefined}
        size={30}
        square={room.kind === "group"}
      />
      {room.partner && <Dot userId={room.partner} />}
    </Box>
  );
}

function Dot({ userId }: { userId: string }) {
  const { state } = usePresence(userId);
  return (
    <Box sx={{ position: "absolute", bottom: -3, insetInlineEnd: -4, display: "flex" }}>
      <PresenceDot presence={state} size={9} on="messages" />
    </Box>
  );
}

function Below({ room }: { room: RoomFacts }) {
  return room.partner ? <Status userId={room.partner} /> : <Line text={room.topic} />;
}

function Status({ userId }: { userId: string }) {
  const { t } = useTranslation();
  const { state, status } = usePresence(userId);
  return <Line text={status ? t("rooms.status", { status }) : t(`common.presence.${state}`)} />;
}

function Line({ text }: { text: string }) {
  if (!text) return null;
  return (
    <Box
      dir="auto"
      title={text}
      sx={{
        typography: "caption",
        color: "text.secondary",
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
      }}
    >
      {text}
    </Box>
  );
}

function People({ room, open, onToggle }: { room: RoomFacts; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  // Of many, who they are is found out when somebody points at the number.
  const [near, setNear] = useState(false);
  const members = useMembers(near || room.people <= 10 ? room.roomId : null);
  const joined = members.filter((member) => !member.invited);
  const shown = joined
    .slice(0, 30)
    .map((member) => member.name)
    .join(", ");
  const names =
    joined.length > 30 ? t("members.andMore", { names: shown, count: joined.length - 30 }) : shown;
  return (
    <ButtonBase
      data-tip={names}
      onPointerEnter={() => setNear(true)}
      onFocus={() => setNear(true)}
      onClick={onToggle}
      aria-expanded={open}
      aria-label={`${open ? t("members.hide") : t("members.show")}, ${t("members.count", { count: room.people })}`}
      sx={(theme) => ({
        height: 34,
        px: 1.25,
        gap: 0.75,
        borderRadius: "8px",
        border: 1,
        borderColor: "divider",
        color: open ? "accentText" : "text.secondary",
        bgcolor: open ? "surface.selected" : undefined,
        typography: "body2",
        fontWeight: 600,
        fontVariantNumeric: "tabular-nums",
        "&:hover": { bgcolor: "surface.hover" },
        "&:focus-visible": { outline: "2px solid", outlineColor: theme.palette.focus, outlineOffset: 1 },
        "@media (pointer: coarse)": { height: 44 },
      })}
    >
      <GroupIcon sx={{ fontSize: 18 }} />
      {room.people}
    </ButtonBase>
  );
}
