import LockIcon from "@mui/icons-material/Lock";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { useMedia } from "../../matrix/media";
import { useClient } from "../../matrix/MatrixProvider";
import { reasonOf } from "../../matrix/requests";
import { joinRoom, leaveRoom } from "../../matrix/roomActions";
import { useRoom } from "../../matrix/rooms";

interface Props {
  roomId: string;
  active: boolean;
  tabbable: boolean;
  onOpen: (roomId: string) => void;
}

/** An invitation, or a request that waits: to be looked at, taken, or turned down. */
export function InviteRow({ roomId, active, tabbable, onOpen }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const { url } = useMedia(room?.kind === "channel" ? null : (room?.avatar ?? null), AVATAR);
  const [busy, setBusy] = useState(false);
  if (!room) return null;
  const run = (action: () => Promise<unknown>) => {
    setBusy(true);
    action()
      .catch((error: unknown) => alert(t("rooms.failed", { reason: reasonOf(error) })))
      .finally(() => setBusy(false));
  };
  const Icon = room.private ? LockIcon : TagIcon;
  const sentence = room.waiting
    ? t("rooms.waiting")
    : room.inviter && room.inviter !== room.name
      ? t("rooms.invitedBy", { name: room.inviter })
      : t("rooms.invitedYou");
  return (
    <Box sx={{ px: 1, pb: 0.75 }}>
      <Box
        component="button"
        type="button"
        data-room={roomId}
        tabIndex={tabbable ? 0 : -1}
        aria-current={active ? "page" : undefined}
        onClick={() => onOpen(roomId)}
        sx={(theme) => ({
          all: "unset",
          boxSizing: "border-box",
          display: "flex",
          alignItems: "center",
          gap: 1,
          width: "100%",
          minHeight: 44,
          px: 1,
          borderRadius: "8px",
          cursor: "pointer",
          bgcolor: active ? "surface.selected" : undefined,
          "&:hover": { bgcolor: active ? "surface.selected" : "surface.sidebarHover" },
          "&:focus-visible": {
            outline: "2px solid",
            outlineColor: theme.palette.focus,
            outlineOffset: "-2px",
          },
        })}
      >
        {room.kind === "channel" ? (
          <Icon aria-hidden sx={{ fontSize: 17, width: 20, color: "text.secondary" }} />
        ) : (
          <PersonAvatar
            name={room.name}
            id={room.partner ?? roomId}
            src={url ?? undefined}
            size={20}
            square={room.kind === "group"}
          />
        )}
        <Box sx={{ minWidth: 0 }}>
          <Box dir="auto" sx={{ fontWeight: 650, fontSize: "0.875rem", ...cut }}>
            {room.name}
          </Box>
          <Box dir="auto" sx={{ typography: "caption", color: "text.secondary", ...cut }}>
            {sentence}
          </Box>
        </Box>
      </Box>
      <Box sx={{ display: "flex", gap: 0.75, paddingInlineStart: "36px", pt: 0.25 }}>
        {room.waiting ? (
          <Button
            size="small"
            sx={small}
            disabled={busy}
            onClick={() => run(() => leaveRoom(client, roomId))}
          >
            {t("rooms.takeBack")}
          </Button>
        ) : (
          <>
            <Button
              size="small"
              variant="contained"
              sx={small}
              disabled={busy}
              onClick={() =>
                run(async () => {
                  await joinRoom(client, roomId);
                  onOpen(roomId);
                })
              }
            >
              {t("rooms.accept")}
            </Button>
            <Button
              size="small"
              sx={small}
              disabled={busy}
              onClick={() => run(() => leaveRoom(client, roomId))}
            >
              {t("rooms.decline")}
            </Button>
          </>
        )}
      </Box>
    </Box>
  );
}

const AVATAR = { width: 20, height: 20, crop: true };
const cut = { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" } as const;
const small = { minHeight: 28, py: 0, "@media (pointer: coarse)": { minHeight: 44 } };
