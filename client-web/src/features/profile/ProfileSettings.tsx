import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { useMedia } from "../../matrix/media";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { loadOwnProfile, setName, setPicture, useOwnProfile } from "../../matrix/profile";
import { StatusForm } from "./StatusForm";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const LARGEST_PICTURE = 5 * 1024 * 1024;

/** Name, picture, availability and what one says about it. */
export function ProfileSettings() {
  const { t } = useTranslation();
  const client = useClient();
  const userId = useUserId();
  const [failure, setFailure] = useState("");

  useEffect(() => {
    // What sync told earlier is shown until then.
    loadOwnProfile(client).catch(() => undefined);
  }, [client]);

  /** Does something and says how it went. */
  const attempt = async (action: Promise<void>): Promise<boolean> => {
    setFailure("");
    try {
      await action;
      tell(t("common.saved"));
      return true;
    } catch (refusal) {
      setFailure(
        t("common.failed", { reason: refusal instanceof Error ? refusal.message : String(refusal) }),
      );
      return false;
    }
  };
  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 3, maxWidth: 520 }}>
      {failure && (
        <Alert severity="error" variant="outlined">
          {failure}
        </Alert>
      )}
      <Picture attempt={attempt} onRefused={setFailure} />
      <Name attempt={attempt} />
      <StatusForm attempt={attempt} />
      <Typography variant="body2" sx={{ color: "text.secondary" }}>
        {t("settings.person.id")}: <code>{userId}</code>
      </Typography>
    </Box>
  );
}

interface Attempting {
  attempt: (action: Promise<void>) => Promise<boolean>;
}

function Picture({ attempt, onRefused }: Attempting & { onRefused: (reason: string) => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const userId = useUserId();
  const profile = useOwnProfile();
  const shown = useMedia(profile.picture, { width: 72, height: 72, crop: true }).url ?? undefined;
  const input = useRef<HTMLInputElement>(null);
  const choose = (files: FileList | null) => {
    const file = files?.[0];
    if (!file) return;
    if (!PICTURES.includes(file.type) || file.size > LARGEST_PICTURE)
      onRefused(t("settings.person.pictureKind"));
    else void attempt(setPicture(client, file));
  };
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 2 }}>
      <PersonAvatar id={userId} name={profile.name} src={shown} size={72} />
      <Box sx={{ display: "flex", gap: 1, flexWrap: "wrap" }}>
        <input
          ref={input}
          type="file"
          hidden
          accept={PICTURES.join(",")}
          aria-label={t("settings.person.picture")}
          onChange={(event) => {
            choose(event.target.files);
            event.target.value = "";
          }}
        />
        <Button variant="outlined" onClick={() => input.current?.click()}>
          {t("settings.person.picture")}
        </Button>
        {profile.picture && (
          <Button onClick={() => void attempt(setPicture(client, null))}>
            {t("settings.person.noPicture")}
          </Button>
        )}
      </Box>
    </Box>
  );
}

function Name({ attempt }: Attempting) {
  const { t } = useTranslation();
  const client = useClient();
  const { name } = useOwnProfile();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get("name");
    if (typeof given === "string" && given.trim() !== "") void attempt(setName(client, given.trim()));
  };
  return (
    <Box component="form" key={name} onSubmit={submit} sx={{ display: "flex", gap: 1, alignItems: "center" }}>
      <TextField
        name="name"
        size="small"
        fullWidth
        label={t("settings.person.name")}
        defaultValue={name}
        autoComplete="name"
        slotProps={{ htmlInput: { maxLength: 100 } }}
      />
      <Button type="submit" variant="outlined">
        {t("common.save")}
      </Button>
    </Box>
  );
}
