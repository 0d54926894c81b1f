import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { KeyFileError } from "../../matrix/encryption/keyFile";
import { exportKeys, importKeys } from "../../matrix/encryption/security";
import { useClient } from "../../matrix/MatrixProvider";
import { Form, read, reason, save } from "./SecurityForm";

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
