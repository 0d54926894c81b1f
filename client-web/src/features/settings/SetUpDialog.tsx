import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { PasswordWanted, setUp, startOver } from "../../matrix/encryption/security";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { Form, read, reason, save } from "./SecurityForm";

/** Making a recovery key: what it is for, a passphrase if one likes, then the key itself, once. */
export function SetUpDialog({
  kind,
  onClose,
}: {
  kind: "set-up" | "new-key" | "start-over";
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const client = useClient();
  const userId = useUserId();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const [wantsPassword, setWantsPassword] = useState(false);
  const [key, setKey] = useState("");
  const [copied, setCopied] = useState(false);

  const make = async (form: HTMLFormElement) => {
    const passphrase = read(form, "passphrase");
    const password = wantsPassword ? read(form, "password") : null;
    setBusy(true);
    setFailure("");
    try {
      const act = kind === "start-over" ? startOver : setUp;
      setKey(await act(client, { ...(passphrase ? { passphrase } : {}), password }));
    } catch (refused) {
      if (refused instanceof PasswordWanted) setWantsPassword(true);
      else setFailure(t("common.failed", { reason: reason(refused) }));
    } finally {
      setBusy(false);
    }
  };
  const title = t(
    key
      ? "security.setUp.keyTitle"
      : kind === "set-up"
        ? "security.setUp.title"
        : kind === "new-key"
          ? "security.setUp.newTitle"
          : "security.setUp.overTitle",
  );
  return (
    <Sheet title={title} onClose={onClose} width="xs">
      {key ? (
        <Box sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2 }}>
          <Typography>{t("security.setUp.keyLead")}</Typography>
          <Box
            component="code"
            data-testid="recovery-key"
            sx={{
              p: 2,
              borderRadius: 2,
              border: 1,
              borderColor: "divider",
              bgcolor: "surface.code",
              fontFamily: "ui-monospace, Menlo, Consolas, monospace",
              fontSize: "1.0625rem",
              lineHeight: 1.7,
              textAlign: "center",
              wordSpacing: "0.35em",
              userSelect: "all",
            }}
          >
            {key}
          </Box>
          <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
            <Button
              variant="outlined"
              onClick={() => {
                void navigator.clipboard.writeText(key).then(() => {
                  setCopied(true);
                  announce(t("security.setUp.copied"));
                });
              }}
            >
              {t(copied ? "security.setUp.copied" : "security.setUp.copy")}
            </Button>
            <Button
              variant="outlined"
              onClick={() => save(`${key}\n`, `${t("security.setUp.file", { user: userId })}.txt`)}
            >
              {t("security.setUp.download")}
            </Button>
          </Box>
          <Button variant="contained" onClick={onClose}>
            {t("security.setUp.kept")}
          </Button>
        </Box>
      ) : (
        <Form onSubmit={(form) => void make(form)}>
          <Typography>
            {t(kind === "start-over" ? "security.setUp.overLead" : "security.setUp.lead")}
          </Typography>
          <TextField
            name="passphrase"
            type="password"
            label={t("security.setUp.passphrase")}
            helperText={t("security.setUp.passphraseHint")}
            autoComplete="new-password"
          />
          {wantsPassword && (
            <TextField
              name="password"
              type="password"
              label={t("security.setUp.password")}
              autoComplete="current-password"
              autoFocus
            />
          )}
          {failure && (
            <Typography role="alert" variant="body2" sx={{ color: "error.main" }}>
              {failure}
            </Typography>
          )}
          <Button
            type="submit"
            variant="contained"
            loading={busy}
            color={kind === "start-over" ? "error" : "primary"}
          >
            {t("security.setUp.go")}
          </Button>
        </Form>
      )}
    </Sheet>
  );
}
