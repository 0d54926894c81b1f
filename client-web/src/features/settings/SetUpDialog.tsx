import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { PasswordField } from "../../components/PasswordField";
import { Sheet } from "../../components/Sheet";
import { PasswordWanted, setUp, startOver } from "../../matrix/encryption/security";
import { holdKey, useUnsavedKey } from "../../matrix/encryption/unsavedKey";
import { useClient } from "../../matrix/MatrixProvider";
import { RecoveryKey } from "./RecoveryKey";
import { refusalOf } from "../../shared/failure";
import { Form, read } from "./SecurityForm";

/** Shorter passphrases are guessed. */
const ENOUGH = 8;

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
  const key = useUnsavedKey();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const [short, setShort] = useState(false);
  const [wantsPassword, setWantsPassword] = useState(kind === "start-over");
  const [leaving, setLeaving] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const proof = useRef<HTMLInputElement>(null);

  const make = async (form: HTMLFormElement) => {
    const passphrase = read(form, "passphrase");
    const tooShort = passphrase !== "" && passphrase.length < ENOUGH;
    setFailure("");
    setShort(tooShort);
    if (tooShort) return field.current?.focus();
    const password = wantsPassword ? read(form, "password") : null;
    setBusy(true);
    try {
      const act = kind === "start-over" ? startOver : setUp;
      holdKey(client, await act(client, { ...(passphrase ? { passphrase } : {}), password }));
    } catch (refused) {
      if (refused instanceof PasswordWanted && !wantsPassword) setWantsPassword(true);
      else {
        setFailure(refusalOf(refused, t));
        proof.current?.select();
      }
    } finally {
      setBusy(false);
    }
  };
  // What is being made cannot be called off, and what was made is shown only once.
  const leave = () => {
    if (key !== null) setLeaving(true);
    else if (!busy) onClose();
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
    <Sheet title={title} onClose={leave} firm width="xs">
      {key ? (
        <RecoveryKey
          value={key}
          warning={leaving ? t("security.setUp.keepFirst") : ""}
          onKept={() => {
            holdKey(client, null);
            onClose();
          }}
        />
      ) : (
        <Form onSubmit={(form) => void make(form)}>
          <Typography>
            {t(
              kind === "start-over"
                ? "security.setUp.overLead"
                : kind === "new-key"
                  ? "security.setUp.newLead"
                  : "security.setUp.lead",
            )}
          </Typography>
          <PasswordField
            of="passphrase"
            name="passphrase"
            label={t("security.setUp.passphrase")}
            helperText={t(short ? "security.file.short" : "security.setUp.passphraseHint")}
            error={short}
            inputRef={field}
            autoComplete="new-password"
          />
          {wantsPassword && (
            <TextField
              name="password"
              type="password"
              label={t("security.setUp.password")}
              autoComplete="current-password"
              inputRef={proof}
              autoFocus
              error={failure !== ""}
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
            {t(kind === "start-over" ? "security.action.startOver" : "security.setUp.go")}
          </Button>
        </Form>
      )}
    </Sheet>
  );
}
