import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import FormControlLabel from "@mui/material/FormControlLabel";
import InputAdornment from "@mui/material/InputAdornment";
import MenuItem from "@mui/material/MenuItem";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import { useEffect, useId, useRef, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { Options } from "../../components/Options";
import { Sheet } from "../../components/Sheet";
import type { Posting } from "../../matrix/channel";
import { useSpaces } from "../../matrix/channelList";
import { addressFor, createChannel, isAddressFree, type Access } from "../../matrix/directory";
import { useClient } from "../../matrix/MatrixProvider";
import { errcodeOf, reasonOf } from "../../matrix/requests";

interface Props {
  onClose: () => void;
  onBack: () => void;
  onMade: (roomId: string) => void;
}

/** Making a channel: what it is called, who comes in, who writes. */
export function CreateChannel({ onClose, onBack, onMade }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const spaces = useSpaces().filter((space) => space.mayAdd);
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [typed, setTyped] = useState<string | null>(null);
  const [access, setAccess] = useState<Access>("public");
  const [posting, setPosting] = useState<Posting>("member");
  const [encrypted, setEncrypted] = useState(false);
  const [spaceId, setSpaceId] = useState<string | null | undefined>();
  const [taken, setTaken] = useState<string | null>(null);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const formId = useId();
  const space = spaceId === undefined ? (spaces[0]?.roomId ?? null) : spaceId;
  const spaceName = spaces.find((one) => one.roomId === space)?.name;
  const address = typed ?? addressFor(name);

  useEffect(() => {
    if (address === "") return;
    let over = false;
    const timer = setTimeout(() => {
      isAddressFree(client, address).then(
        (free) => {
          if (!over) setTaken(free ? null : address);
        },
        () => undefined,
      );
    }, 300);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, address]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim() === "") {
      nameField.current?.focus();
      return;
    }
    setBusy(true);
    setFailure("");
    try {
      const roomId = await createChannel(client, {
        name,
        topic,
        address: address || null,
        access,
        posting,
        encrypted: encrypted && access !== "public",
        space,
      });
      onMade(roomId);
    } catch (error) {
      if (errcodeOf(error) === "M_ROOM_IN_USE") setTaken(address);
      else setFailure(reasonOf(error));
      setBusy(false);
    }
  };

  const who: readonly Access[] = space
    ? ["public", "space", "knock", "private"]
    : ["public", "knock", "private"];
  return (
    <Sheet
      title={t("channels.create")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onBack}>{t("channels.back")}</Button>
          <Box sx={{ flex: 1 }} />
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="submit"
            form={formId}
            variant="contained"
            disabled={name.trim() === "" || taken === address}
            loading={busy}
          >
            {t("channels.make")}
          </Button>
        </>
      }
    >
      <Box
        component="form"
        id={formId}
        onSubmit={(event) => void submit(event)}
        sx={{ display: "flex", flexDirection: "column", gap: 2, pt: 1, pb: 1 }}
      >
        {failure && (
          <Alert severity="error" variant="outlined">
            {t("common.failed", { reason: failure })}
          </Alert>
        )}
        <TextField
          autoFocus
          fullWidth
          required
          size="small"
          label={t("channels.name")}
          value={name}
          inputRef={nameField}
          onChange={(change) => setName(change.target.value)}
          slotProps={{ htmlInput: { maxLength: 80, "data-first": true } }}
        />
        <TextField
          fullWidth
          multiline
          size="small"
          maxRows={4}
          label={t("channels.topic")}
          value={topic}
          onChange={(change) => setTopic(change.target.value)}
          slotProps={{ htmlInput: { maxLength: 500 } }}
        />
        <TextField
          fullWidth
          size="small"
          label={t("channels.address")}
          value={address}
          error={taken === address && address !== ""}
          helperText={taken === address && address !== "" ? t("channels.taken") : t("channels.addressHint")}
          onChange={(change) => setTyped(change.target.value.replace(/[\s:#]/g, ""))}
          slotProps={{
            htmlInput: { maxLength: 60, spellCheck: false, autoCapitalize: "none" },
            input: {
              startAdornment: <InputAdornment position="start">#</InputAdornment>,
              endAdornment: <InputAdornment position="end">:{client.getDomain()}</InputAdornment>,
            },
          }}
        />
        {spaces.length > 0 && (
          <TextField
            select
            size="small"
            label={t("channels.space")}
            value={space ?? ""}
            onChange={(change) => {
              setSpaceId(change.target.value || null);
              if (change.target.value === "" && access === "space") setAccess("private");
            }}
          >
            {spaces.map((one) => (
              <MenuItem key={one.roomId} value={one.roomId}>
                {one.name}
              </MenuItem>
            ))}
            <MenuItem value="">{t("channels.noSpace")}</MenuItem>
          </TextField>
        )}
        <Options
          title={t("channels.who")}
          value={access}
          onChange={setAccess}
          options={who.map((value) => ({
            value,
            label: t(`channels.access.${value}`, { space: spaceName }),
            text: t(`channels.accessText.${value}`, { space: spaceName }),
          }))}
        />
        <Options
          title={t("channels.posting")}
          value={posting}
          onChange={setPosting}
          options={(["member", "moderator", "admin"] as const).map((value) => ({
            value,
            label: t(`channels.post.${value}`),
            text: t(`channels.postText.${value}`),
          }))}
        />
        {access !== "public" && (
          <Box>
            <FormControlLabel
              control={
                <Switch
                  checked={encrypted}
                  onChange={(_, now) => setEncrypted(now)}
                  slotProps={{ input: { role: "switch", "aria-describedby": `${formId}-encryption` } }}
                />
              }
              label={t("channels.encrypted")}
              sx={{ marginInlineStart: 0, gap: 1 }}
            />
            <Box id={`${formId}-encryption`} sx={{ typography: "body2", color: "text.secondary" }}>
              {t("channels.encryptedText")}
            </Box>
          </Box>
        )}
      </Box>
    </Sheet>
  );
}
