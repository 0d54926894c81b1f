import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useRef, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { PersonAvatar } from "../../components/PersonAvatar";
import { useMedia } from "../../matrix/media";
import { useClient } from "../../matrix/MatrixProvider";
import type { RoomSummary } from "../../matrix/roomSummary";
import { describe, rename, setRoomPicture, type ChannelSettings } from "../../matrix/settings";
import type { Changing } from "./RoomSettings";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const LARGEST = 5 * 1024 * 1024;
const SIZE = { width: 72, height: 72, crop: true };

/** Name, description, picture. */
export function GeneralSettings({
  roomId,
  settings,
  room,
  locked,
  change,
}: Changing & { settings: ChannelSettings; room: RoomSummary }) {
  const { t } = useTranslation();
  const client = useClient();
  const { url } = useMedia(settings.avatar, SIZE);
  const input = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState("");
  const [name, setName] = useState<string | null>(null);
  const [topic, setTopic] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const noName = locked("name");
  const noTopic = locked("topic");
  const changed =
    (name !== null && name.trim() !== settings.name) || (topic !== null && topic.trim() !== settings.topic);
  const choose = (file: File | undefined) => {
    if (!file) return;
    const fits = PICTURES.includes(file.type) && file.size <= LARGEST;
    setRefused(fits ? "" : t("channels.pictureKind"));
    if (fits) void change(setRoomPicture(client, roomId, file));
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    const save = async () => {
      if (name !== null && name.trim() !== settings.name) await rename(client, roomId, name);
      if (topic !== null && topic.trim() !== settings.topic) await describe(client, roomId, topic);
    };
    if (await change(save())) {
      setName(null);
      setTopic(null);
    }
    setBusy(false);
  };
  return (
    <Box
      component="form"
      onSubmit={(event) => void submit(event)}
      sx={{ display: "flex", flexDirection: "column", gap: 2.5, maxWidth: 520 }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 2 }}>
        <PersonAvatar id={roomId} name={room.name} src={url ?? undefined} size={72} square />
        {locked("avatar") === null && (
          <Box sx={{ display: "flex", gap: 1, flexWrap: "wrap" }}>
            <input
              ref={input}
              type="file"
              hidden
              accept={PICTURES.join(",")}
              aria-label={t("channels.changePicture")}
              onChange={(event) => {
                choose(event.target.files?.[0]);
                event.target.value = "";
              }}
            />
            <Button variant="outlined" onClick={() => input.current?.click()}>
              {t("channels.changePicture")}
            </Button>
            {settings.avatar && (
              <Button onClick={() => void change(setRoomPicture(client, roomId, null))}>
                {t("channels.removePicture")}
              </Button>
            )}
          </Box>
        )}
      </Box>
      {refused && (
        <Typography role="alert" variant="body2" sx={{ color: "dangerText" }}>
          {refused}
        </Typography>
      )}
      {noName ? (
        <Fact title={t("channels.name")} text={settings.name || room.name} note={noName} />
      ) : (
        <TextField
          size="small"
          fullWidth
          label={t("channels.name")}
          value={name ?? settings.name}
          onChange={(event) => setName(event.target.value)}
          slotProps={{ htmlInput: { maxLength: 80 } }}
        />
      )}
      {noTopic ? (
        <Fact title={t("channels.topic")} text={settings.topic || t("channels.noTopic")} note={noTopic} />
      ) : (
        <TextField
          size="small"
          fullWidth
          multiline
          maxRows={6}
          label={t("channels.topic")}
          value={topic ?? settings.topic}
          onChange={(event) => setTopic(event.target.value)}
          slotProps={{ htmlInput: { maxLength: 500 } }}
        />
      )}
      {(!noName || !noTopic) && (
        <Button
          type="submit"
          variant="contained"
          disabled={!changed}
          loading={busy}
          sx={{ alignSelf: "flex-start" }}
        >
          {t("common.save")}
        </Button>
      )}
    </Box>
  );
}

/** Something one may not change: what it is, and who may. */
export function Fact({ title, text, note }: { title: string; text: string; note: string }) {
  return (
    <Box>
      <Typography variant="h3">{title}</Typography>
      <Typography dir="auto">{text}</Typography>
      <Typography variant="body2" sx={{ color: "text.secondary", fontStyle: "italic" }}>
        {note}
      </Typography>
    </Box>
  );
}
