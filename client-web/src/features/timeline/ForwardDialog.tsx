import Search from "@mui/icons-material/Search";
import Tag from "@mui/icons-material/Tag";
import Lock from "@mui/icons-material/Lock";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import InputBase from "@mui/material/InputBase";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { Sheet } from "../../components/Sheet";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { forward } from "../../matrix/forward";
import { useClient } from "../../matrix/MatrixProvider";
import { plainText } from "../../matrix/plainText";
import { roomStore, useRooms } from "../../matrix/rooms";
import type { RoomSummary } from "../../matrix/roomSummary";
import { maySend } from "../../matrix/timeline";

interface Props {
  event: TimelineEvent;
  message: MessageView;
  onClose: () => void;
}

const box = {
  px: 1.25,
  py: 0.5,
  border: 1,
  borderColor: "border.control",
  borderRadius: "8px",
  bgcolor: "surface.input",
} as const;

/** A message again, in other conversations. */
export function ForwardDialog({ event, message, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const { direct, channels, groups } = useRooms();
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [comment, setComment] = useState("");
  const rooms = useMemo(() => {
    const store = roomStore(client);
    return [...direct, ...channels, ...groups]
      .map((roomId) => store.getSummary(roomId))
      .filter((room): room is RoomSummary => room !== null && maySend(client, room.roomId));
  }, [client, direct, channels, groups]);
  const term = wanted.trim().toLocaleLowerCase();
  const shown = rooms.filter((room) => room.name.toLocaleLowerCase().includes(term));
  const toggle = (roomId: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(roomId)) next.add(roomId);
      return next;
    });
  const send = () => {
    forward(client, event, [...chosen], comment);
    tell(t("messages.forwarded", { count: chosen.size }));
    onClose();
  };
  return (
    <Sheet
      title={t("messages.forward")}
      onClose={onClose}
      width="xs"
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button variant="contained" disabled={chosen.size === 0} onClick={send}>
            {chosen.size > 0 ? t("messages.send", { count: chosen.size }) : t("messages.sendNone")}
          </Button>
        </>
      }
    >
      <Box
        sx={{
          p: 1.25,
          mb: 1.5,
          borderInlineStart: "3px solid",
          borderColor: "border.control",
          bgcolor: "surface.code",
          borderRadius: "6px",
          typography: "body2",
        }}
      >
        <Box dir="auto" sx={{ fontWeight: 650 }}>
          {message.senderName}
        </Box>
        <Box
          dir="auto"
          sx={{
            overflowWrap: "anywhere",
            display: "-webkit-box",
            WebkitLineClamp: "3",
            WebkitBoxOrient: "vertical",
            overflow: "hidden",
          }}
        >
          {plainText(message, t)}
        </Box>
      </Box>
      <InputBase
        autoFocus
        fullWidth
        value={wanted}
        onChange={(change) => setWanted(change.target.value)}
        placeholder={t("messages.find")}
        startAdornment={
          <Search aria-hidden sx={{ fontSize: 18, marginInlineEnd: 1, color: "text.secondary" }} />
        }
        inputProps={{ "aria-label": t("messages.find"), type: "search" }}
        sx={box}
      />
      <Box
        component="ul"
        aria-label={t("messages.where")}
        sx={{ listStyle: "none", m: 0, my: 1, p: 0, height: 260, overflowY: "auto" }}
      >
        {shown.map((room) => (
          <Box component="li" key={room.roomId}>
            <Box
              component="label"
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 1,
                minHeight: 44,
                paddingInlineEnd: 1,
                borderRadius: "8px",
                cursor: "pointer",
                "&:hover": { bgcolor: "surface.hover" },
              }}
            >
              <Checkbox checked={chosen.has(room.roomId)} onChange={() => toggle(room.roomId)} size="small" />
              <Mark room={room} />
              <Box dir="auto" sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
                {room.name}
              </Box>
            </Box>
          </Box>
        ))}
        {shown.length === 0 && (
          <Box component="li" sx={{ p: 1, color: "text.secondary" }}>
            {t("messages.noneCalled")}
          </Box>
        )}
      </Box>
      <InputBase
        fullWidth
        value={comment}
        onChange={(change) => setComment(change.target.value)}
        placeholder={t("messages.comment")}
        inputProps={{ "aria-label": t("messages.comment") }}
        sx={box}
      />
    </Sheet>
  );
}

function Mark({ room }: { room: RoomSummary }) {
  if (room.kind !== "channel")
    return (
      <PersonAvatar
        id={room.partner ?? room.roomId}
        name={room.name}
        size={26}
        square={room.kind === "group"}
      />
    );
  const Icon = room.private ? Lock : Tag;
  return <Icon aria-hidden sx={{ fontSize: 18, mx: "4px", color: "text.secondary" }} />;
}
