import ArrowBackIcon from "@mui/icons-material/ArrowBack";
import GroupIcon from "@mui/icons-material/GroupOutlined";
import LockIcon from "@mui/icons-material/Lock";
import TagIcon from "@mui/icons-material/Tag";
import VpnKeyIcon from "@mui/icons-material/VpnKeyOutlined";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Typography from "@mui/material/Typography";
import { memo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { useMembers } from "../../matrix/members";
import { useMedia } from "../../matrix/media";
import { usePresence } from "../../matrix/presence";
import { useRoom, type RoomSummary } from "../../matrix/rooms";

interface Props {
  roomId: string;
  /** Opens or closes the list of members. */
  onToggleMembers?: () => void;
  membersOpen?: boolean;
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
  onBack,
  actions,
}: Props) {
  const { t } = useTranslation();
  const room = useRoom(roomId);
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
          <ArrowBackIcon fontSize="small" />
        </IconAction>
      )}
      {room && <Mark room={room} />}
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: "flex", alignItems: "center", gap: 0.75, minWidth: 0 }}>
          <Typography variant="h2" component="h1" dir="auto" noWrap>
            {room?.name ?? "\u00a0"}
          </Typography>
          {room?.encrypted && (
            <VpnKeyIcon titleAccess={t("members.encrypted")} sx={{ fontSize: 15, color: "text.secondary" }} />
          )}
        </Box>
        {room && <Below room={room} />}
      </Box>
      {actions}
      {room && onToggleMembers && room.kind !== "direct" && (
        <People room={room} open={membersOpen} onToggle={onToggleMembers} />
      )}
    </Box>
  );
});

function Mark({ room }: { room: RoomSummary }) {
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

function Below({ room }: { room: RoomSummary }) {
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

function People({ room, open, onToggle }: { room: RoomSummary; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const members = useMembers(room.roomId);
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
