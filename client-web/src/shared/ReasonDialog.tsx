import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useId, useState, type ReactNode, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { Sheet } from "../components/Sheet";
import { reasonOf } from "../matrix/requests";

interface Props {
  title: string;
  text: string;
  /** What the field for the reason is called. */
  label: string;
  /** What the button is called that does it. */
  action: string;
  /** Whether it takes something from somebody. */
  grave?: boolean;
  /** Whether a reason has to be given. */
  required?: boolean;
  children?: ReactNode;
  onClose: () => void;
  onAct: (reason: string) => Promise<void>;
}

/** Asks for a reason before something is done that others will see. */
export function ReasonDialog({
  title,
  text,
  label,
  action,
  grave = false,
  required = false,
  children,
  onClose,
  onAct,
}: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const formId = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    // Dialogs may be opened from within others: what is meant here is not meant there.
    event.stopPropagation();
    if (required && reason.trim() === "") return;
    setBusy(true);
    setFailure("");
    onAct(reason.trim()).then(onClose, (error: unknown) => {
      setFailure(reasonOf(error));
      setBusy(false);
    });
  };
  return (
    <Sheet
      title={title}
      onClose={onClose}
      width="xs"
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            type="submit"
            form={formId}
            variant="contained"
            color={grave ? "error" : "primary"}
            disabled={required && reason.trim() === ""}
            loading={busy}
          >
            {action}
          </Button>
        </>
      }
    >
      <Box component="form" id={formId} onSubmit={submit}>
        {failure && (
          <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
            {t("common.failed", { reason: failure })}
          </Alert>
        )}
        <Typography sx={{ mb: 2, color: "text.secondary" }}>{text}</Typography>
        {children}
        <TextField
          autoFocus
          fullWidth
          size="small"
          // What has to be told is told in sentences.
          {...(required && { multiline: true, minRows: 3, maxRows: 8 })}
          label={label}
          value={reason}
          required={required}
          onChange={(change) => setReason(change.target.value)}
          slotProps={{ htmlInput: { maxLength: 500, "data-first": true } }}
        />
      </Box>
    </Sheet>
  );
}
