import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { recover, WrongRecoveryKey } from "../../matrix/encryption/security";
import { useClient } from "../../matrix/MatrixProvider";
import { Form, read, reason } from "./SecurityForm";

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
