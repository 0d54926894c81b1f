import Description from "@mui/icons-material/DescriptionOutlined";
import Download from "@mui/icons-material/Download";
import Film from "@mui/icons-material/MovieOutlined";
import Image from "@mui/icons-material/ImageOutlined";
import Lock from "@mui/icons-material/Lock";
import Sound from "@mui/icons-material/AudiotrackOutlined";
import Tag from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { FileName } from "../../components/FileName";
import { IconAction } from "../../components/IconAction";
import { around, Marked } from "../../components/Marked";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { sizeText } from "../../i18n/sizes";
import { absolute, complete } from "../../i18n/times";
import { useClient } from "../../matrix/MatrixProvider";
import { useMedia } from "../../matrix/media";
import { usePresence } from "../../matrix/presence";
import { useRoom } from "../../matrix/rooms";
import type { FoundChannel, FoundMessage, FoundPerson } from "../../matrix/search";
import { saveFile } from "../../shared/saveFile";

const AVATAR = { width: 32, height: 32, crop: true };

/** A row of what was found. Arrows lead from one to the next. */
function Row({
  label,
  onOpen,
  children,
  beside,
}: {
  label: string;
  onOpen: () => void;
  children: ReactNode;
  /** More that can be done with it. */
  beside?: ReactNode;
}) {
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        borderRadius: "8px",
        paddingInlineEnd: beside ? 1 : 0,
        "&:hover, &:focus-within": { bgcolor: "surface.hover" },
      }}
    >
      <ButtonBase
        data-hit
        aria-label={label}
        onClick={onOpen}
        sx={{
          flex: 1,
          minWidth: 0,
          display: "flex",
          alignItems: "flex-start",
          justifyContent: "flex-start",
          gap: 1.25,
          px: 1.25,
          py: 0.875,
          borderRadius: "8px",
          textAlign: "start",
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: -2 },
        }}
      >
        {children}
      </ButtonBase>
      {beside}
    </Box>
  );
}

const oneLine = { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" } as const;

function Where({ roomId }: { roomId: string }) {
  const room = useRoom(roomId);
  if (!room) return null;
  const Icon = room.private ? Lock : Tag;
  return (
    <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: "2px", minWidth: 0 }}>
      {room.kind === "channel" && <Icon aria-hidden sx={{ fontSize: 13 }} />}
      <Box component="span" dir="auto" sx={oneLine}>
        {room.name}
      </Box>
    </Box>
  );
}

function When({ time }: { time: number }) {
  const { i18n } = useTranslation();
  return (
    <Box
      component="time"
      dateTime={new Date(time).toISOString()}
      title={complete(time, i18n.language)}
      sx={{ flex: "none", marginInlineStart: "auto", typography: "caption", color: "text.secondary" }}
    >
      {absolute(time, i18n.language)}
    </Box>
  );
}

/** A message that was found. */
export function MessageHit({
  hit,
  words,
  withRoom,
  onOpen,
}: {
  hit: FoundMessage;
  words: readonly string[];
  withRoom: boolean;
  onOpen: (hit: FoundMessage) => void;
}) {
  const { t, i18n } = useTranslation();
  const { url } = useMedia(hit.senderAvatar, AVATAR);
  const room = useRoom(hit.roomId);
  const text = around(hit.text, words);
  return (
    <Row
      label={t("search.openMessage", {
        name: hit.senderName,
        room: room?.name ?? "",
        time: absolute(hit.time, i18n.language),
        text,
      })}
      onOpen={() => onOpen(hit)}
    >
      <Box sx={{ pt: "2px" }}>
        <PersonAvatar id={hit.sender} name={hit.senderName} src={url ?? undefined} size={32} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, minWidth: 0 }}>
          <Box component="span" dir="auto" sx={{ fontWeight: 650, ...oneLine }}>
            {hit.senderName}
          </Box>
          {withRoom && (
            <Box
              component="span"
              sx={{ typography: "caption", color: "text.secondary", minWidth: 0, ...oneLine }}
            >
              <Where roomId={hit.roomId} />
            </Box>
          )}
          <When time={hit.time} />
        </Box>
        <Box
          dir="auto"
          sx={{
            typography: "body2",
            overflowWrap: "anywhere",
            display: "-webkit-box",
            WebkitLineClamp: "3",
            WebkitBoxOrient: "vertical",
            overflow: "hidden",
          }}
        >
          <Marked text={text} words={words} />
        </Box>
      </Box>
    </Row>
  );
}

function iconFor(type: string): ReactNode {
  const icons = { fontSize: "small" } as const;
  if (type.startsWith("image/")) return <Image {...icons} />;
  if (type.startsWith("video/")) return <Film {...icons} />;
  if (type.startsWith("audio/")) return <Sound {...icons} />;
  return <Description {...icons} />;
}

/** A file that was found. */
export function FileHit({
  hit,
  words,
  withRoom,
  onOpen,
}: {
  hit: FoundMessage;
  words: readonly string[];
  withRoom: boolean;
  onOpen: (hit: FoundMessage) => void;
}) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const room = useRoom(hit.roomId);
  const isPicture = hit.file?.type.startsWith("image/") ?? false;
  const { url } = useMedia(isPicture ? (hit.file?.url ?? null) : null, { width: 40, height: 40, crop: true });
  if (!hit.file) return null;
  const { file } = hit;
  return (
    <Row
      label={t("search.openFile", {
        name: file.name,
        sender: hit.senderName,
        room: room?.name ?? "",
        time: absolute(hit.time, i18n.language),
      })}
      onOpen={() => onOpen(hit)}
      beside={
        <IconAction
          label={t("timeline.download", { name: file.name })}
          onClick={() => void saveFile(client, file, t)}
        >
          <Download fontSize="small" />
        </IconAction>
      }
    >
      <Box
        aria-hidden
        sx={{
          width: 40,
          height: 40,
          flex: "none",
          borderRadius: "8px",
          display: "grid",
          placeItems: "center",
          overflow: "hidden",
          bgcolor: "surface.code",
          color: "accentText",
        }}
      >
        {url ? (
          <Box component="img" src={url} alt="" sx={{ width: "100%", height: "100%", objectFit: "cover" }} />
        ) : (
          iconFor(file.type)
        )}
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: "flex", alignItems: "baseline", gap: 1 }}>
          <Box component="span" sx={{ fontWeight: 600, minWidth: 0 }}>
            <FileName name={file.name} words={words} />
          </Box>
          <When time={hit.time} />
        </Box>
        <Box sx={{ display: "flex", gap: 0.75, typography: "caption", color: "text.secondary", minWidth: 0 }}>
          {file.size !== null && <span>{sizeText(file.size, i18n.language)}</span>}
          <Box component="span" dir="auto" sx={oneLine}>
            {hit.senderName}
          </Box>
          {withRoom && <Where roomId={hit.roomId} />}
        </Box>
        {hit.text && (
          <Box dir="auto" sx={{ typography: "body2", overflowWrap: "anywhere" }}>
            <Marked text={around(hit.text, words)} words={words} />
          </Box>
        )}
      </Box>
    </Row>
  );
}

/** Somebody who was found. */
export function PersonHit({
  person,
  words,
  onMessage,
}: {
  person: FoundPerson;
  words: readonly string[];
  onMessage: (userId: string) => void;
}) {
  const { t } = useTranslation();
  const { url } = useMedia(person.avatar, AVATAR);
  const { state, status } = usePresence(person.userId);
  const label = t("search.messagePerson", { name: person.name });
  return (
    <Row
      label={`${person.name}, ${t(`common.presence.${state}`)}${status ? `, ${status}` : ""}`}
      onOpen={() => onMessage(person.userId)}
      beside={
        <Button size="small" variant="outlined" aria-label={label} onClick={() => onMessage(person.userId)}>
          {t("search.message")}
        </Button>
      }
    >
      <Box sx={{ position: "relative" }}>
        <PersonAvatar id={person.userId} name={person.name} src={url ?? undefined} size={32} />
        <Box sx={{ position: "absolute", bottom: -3, insetInlineEnd: -4, display: "flex" }}>
          <PresenceDot presence={state} size={9} on="raised" silent />
        </Box>
      </Box>
      <Box sx={{ minWidth: 0 }}>
        <Box dir="auto" sx={{ fontWeight: 600, ...oneLine }}>
          <Marked text={person.name} words={words} />
        </Box>
        <Box dir="auto" sx={{ typography: "caption", color: "text.secondary", ...oneLine }}>
          {status ? `${person.userId} · ${t("rooms.status", { status })}` : person.userId}
        </Box>
      </Box>
    </Row>
  );
}

/** A channel that was found. */
export function ChannelHit({
  channel,
  words,
  onOpen,
}: {
  channel: FoundChannel;
  words: readonly string[];
  onOpen: (channel: FoundChannel) => void;
}) {
  const { t } = useTranslation();
  const Icon = channel.private ? Lock : Tag;
  const label = t(channel.joined ? "search.openChannel" : "search.joinChannel", { name: channel.name });
  return (
    <Row
      label={`${channel.name}, ${t("search.members", { count: channel.people })}`}
      onOpen={() => onOpen(channel)}
      beside={
        <Button
          size="small"
          variant={channel.joined ? "outlined" : "contained"}
          aria-label={label}
          onClick={() => onOpen(channel)}
        >
          {t(channel.joined ? "search.open" : "search.join")}
        </Button>
      }
    >
      <Box
        aria-hidden
        sx={{
          width: 32,
          height: 32,
          flex: "none",
          borderRadius: "8px",
          display: "grid",
          placeItems: "center",
          bgcolor: "surface.code",
          color: "text.secondary",
        }}
      >
        <Icon sx={{ fontSize: 18 }} />
      </Box>
      <Box sx={{ minWidth: 0 }}>
        <Box dir="auto" sx={{ fontWeight: 600, ...oneLine }}>
          <Marked text={channel.name} words={words} />
        </Box>
        <Box dir="auto" sx={{ typography: "caption", color: "text.secondary", ...oneLine }}>
          {[t("search.members", { count: channel.people }), channel.topic].filter(Boolean).join(" · ")}
        </Box>
      </Box>
    </Row>
  );
}
