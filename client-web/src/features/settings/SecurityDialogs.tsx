import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { announce, tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { KeyFileError } from "../../matrix/encryption/keyFile";
import {
  exportKeys,
  importKeys,
  PasswordWanted,
  recover,
  setUp,
  startOver,
  WrongRecoveryKey,
} from "../../matrix/encryption/security";
import { useClient, useUserId } from "../../matrix/MatrixProvider";

function reason(refused: unknown): string {
  return refused instanceof Error ? refused.message : String(refused);
}

function read(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function Form({ children, onSubmit }: { children: ReactNode; onSubmit: (form: HTMLFormElement) => void }) {
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event: SubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        onSubmit(event.currentTarget);
      }}
      sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2, pt: 0.5 }}
    >
      {children}
    </Box>
  );
}

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

/** Typing in the recovery key or its passphrase. */
export function RecoverDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const unlock = async (form: HTMLFormElement) => {
    setBusy(true);
    setFailure("");
    try {
      const count = await recover(client, read(form, "key"));
      tell(t("security.recover.done", { count }));
      onClose();
    } catch (refused) {
      setFailure(
        refused instanceof WrongRecoveryKey
          ? t("security.recover.wrong")
          : t("common.failed", { reason: reason(refused) }),
      );
      setBusy(false);
    }
  };
  return (
    <Sheet title={t("security.recover.title")} onClose={onClose} width="xs">
      <Form onSubmit={(form) => void unlock(form)}>
        <Typography>{t("security.recover.lead")}</Typography>
        <TextField
          name="key"
          label={t("security.recover.field")}
          autoFocus
          autoComplete="off"
          error={failure !== ""}
          helperText={failure}
          slotProps={{
            htmlInput: { spellCheck: false, autoCapitalize: "none" },
            formHelperText: { role: "alert" },
          }}
        />
        <Button type="submit" variant="contained" loading={busy}>
          {t("security.recover.go")}
        </Button>
      </Form>
    </Sheet>
  );
}

/** Message keys into a file, or out of one. */
export function KeyFileDialog({ kind, onClose }: { kind: "export" | "import"; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [file, setFile] = useState<File | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const act = async (form: HTMLFormElement) => {
    const passphrase = read(form, "passphrase");
    setFailure("");
    if (kind === "export" && passphrase.length < 8) return setFailure(t("security.file.short"));
    if (kind === "export" && passphrase !== read(form, "again")) return setFailure(t("security.file.differ"));
    if (kind === "import" && !file) return setFailure(t("security.file.wrongFile"));
    setBusy(true);
    try {
      if (kind === "export") {
        save(await exportKeys(client, passphrase), "orvale-keys.txt");
        tell(t("security.file.saved"));
      } else if (file) {
        const count = await importKeys(client, await file.text(), passphrase);
        tell(t("security.file.imported", { count }));
      }
      onClose();
    } catch (refused) {
      if (refused instanceof KeyFileError)
        setFailure(t(refused.wrong === "file" ? "security.file.wrongFile" : "security.file.wrongPassphrase"));
      else setFailure(t("common.failed", { reason: reason(refused) }));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t(kind === "export" ? "security.file.export" : "security.file.import")}
      onClose={onClose}
      width="xs"
    >
      <Form onSubmit={(form) => void act(form)}>
        <Typography>{t("security.moreText")}</Typography>
        {kind === "import" && (
          <Button component="label" variant="outlined">
            {file?.name ?? t("security.file.choose")}
            <input
              type="file"
              accept=".txt,text/plain"
              aria-label={t("security.file.choose")}
              style={{ position: "absolute", inset: 0, opacity: 0 }}
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          </Button>
        )}
        <TextField
          name="passphrase"
          type="password"
          label={t("security.file.passphrase")}
          autoComplete="new-password"
          autoFocus={kind === "export"}
        />
        {kind === "export" && (
          <TextField
            name="again"
            type="password"
            label={t("security.file.again")}
            autoComplete="new-password"
          />
        )}
        {failure && (
          <Typography role="alert" variant="body2" sx={{ color: "error.main" }}>
            {failure}
          </Typography>
        )}
        <Button type="submit" variant="contained" loading={busy}>
          {t(kind === "export" ? "security.action.export" : "security.action.import")}
        </Button>
      </Form>
    </Sheet>
  );
}
