import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { FileName } from "../../components/FileName";
import { hidden } from "../../components/hidden";
import { PasswordField } from "../../components/PasswordField";
import { Sheet } from "../../components/Sheet";
import { KeyFileError } from "../../matrix/encryption/keyFile";
import { exportKeys, importKeys } from "../../matrix/encryption/security";
import { useClient } from "../../matrix/MatrixProvider";
import { failureOf } from "../../shared/failure";
import { Form, read, save } from "./SecurityForm";

/** What is wrong, and where: the field that it is about, or all of it. */
interface Fault {
  at: "file" | "passphrase" | "again" | null;
  text: string;
}

/** Message keys into a file, or out of one. */
export function KeyFileDialog({ kind, onClose }: { kind: "export" | "import"; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [file, setFile] = useState<File | null>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const chooser = useRef<HTMLInputElement>(null);

  const act = async (form: HTMLFormElement) => {
    const passphrase = read(form, "passphrase");
    const refuse = (at: Fault["at"], text: string) => {
      setBusy(false);
      setFault({ at, text });
      const field = at === null ? null : form.elements.namedItem(at);
      if (field instanceof HTMLElement) field.focus();
    };
    setFault(null);
    if (kind === "import" && !file) return refuse("file", t("security.file.none"));
    if (kind === "export" && passphrase.length < 8) return refuse("passphrase", t("security.file.short"));
    if (kind === "export" && passphrase !== read(form, "again"))
      return refuse("again", t("security.file.differ"));
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
      if (!(refused instanceof KeyFileError)) refuse(null, failureOf(refused, t));
      else if (refused.wrong === "file") refuse("file", t("security.file.wrongFile"));
      else refuse("passphrase", t("security.file.wrongPassphrase"));
    }
  };
  const of = (at: Fault["at"]) => ({
    error: fault?.at === at,
    helperText: fault?.at === at ? fault?.text : "",
  });
  const alone = fault?.at === null || fault?.at === "file" ? fault.text : "";
  return (
    <Sheet title={t(`security.file.${kind}`)} onClose={onClose} firm width="xs">
      <Form onSubmit={(form) => void act(form)}>
        <Typography>{t(kind === "export" ? "security.moreText" : "security.file.importLead")}</Typography>
        {kind === "import" && (
          <Box>
            <Button
              fullWidth
              name="file"
              variant="outlined"
              autoFocus
              onClick={() => chooser.current?.click()}
              sx={{ minWidth: 0 }}
            >
              {file ? <FileName name={file.name} /> : t("security.file.choose")}
              {file && (
                <Box component="span" sx={hidden}>
                  {`, ${t("security.file.choose")}`}
                </Box>
              )}
            </Button>
            <input
              ref={chooser}
              type="file"
              accept=".txt,text/plain"
              hidden
              onChange={(event) => {
                setFile(event.currentTarget.files?.[0] ?? null);
                setFault(null);
              }}
            />
          </Box>
        )}
        <PasswordField
          of="passphrase"
          name="passphrase"
          label={t("security.file.passphrase")}
          autoComplete={kind === "export" ? "new-password" : "off"}
          autoFocus={kind === "export"}
          {...of("passphrase")}
        />
        {kind === "export" && (
          <PasswordField
            of="passphrase"
            name="again"
            label={t("security.file.again")}
            autoComplete="new-password"
            {...of("again")}
          />
        )}
        <Typography role="alert" variant="body2" sx={{ color: "error.main", "&:empty": { display: "none" } }}>
          {alone}
        </Typography>
        <Button type="submit" variant="contained" loading={busy}>
          {t(kind === "export" ? "security.action.export" : "security.action.import")}
        </Button>
      </Form>
    </Sheet>
  );
}
