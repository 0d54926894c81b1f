import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { recover, WrongRecoveryKey } from "../../matrix/encryption/security";
import { useClient } from "../../matrix/MatrixProvider";
import { failureOf } from "../../shared/failure";
import { Form, read } from "./SecurityForm";

interface Props {
  onClose: () => void;
  /** The key is gone too. */
  onLost: () => void;
}

/** Typing in the recovery key or its passphrase. */
export function RecoverDialog({ onClose, onLost }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const unlock = async (form: HTMLFormElement) => {
    const key = read(form, "key");
    setFailure("");
    if (key.trim() === "") return field.current?.focus();
    setBusy(true);
    try {
      const count = await recover(client, key);
      tell(t("security.recover.done", { count }));
      onClose();
    } catch (refused) {
      setFailure(refused instanceof WrongRecoveryKey ? t("security.recover.wrong") : failureOf(refused, t));
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <Sheet title={t("security.recover.title")} onClose={onClose} firm width="xs">
      <Form onSubmit={(form) => void unlock(form)}>
        <Typography>{t("security.recover.lead")}</Typography>
        <TextField
          name="key"
          label={t("security.recover.field")}
          autoFocus
          autoComplete="off"
          inputRef={field}
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
        <Box sx={{ display: "flex", justifyContent: "center", mt: -0.5 }}>
          <Button size="small" disabled={busy} onClick={onLost}>
            {t("security.recover.lost")}
          </Button>
        </Box>
      </Form>
    </Sheet>
  );
}
