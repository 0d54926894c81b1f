import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { deleteMessage } from "../../matrix/send";

/** Asks once before a message is gone for everybody: this cannot be undone. */
export function DeleteDialog({ event, onClose }: { event: TimelineEvent; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    deleteMessage(client, event).then(onClose, (reason: unknown) => {
      const told =
        (reason as { data?: { error?: string } }).data?.error ??
        (reason instanceof Error ? reason.message : "");
      setError(t("timeline.deleteFailed", { reason: told }));
      setBusy(false);
    });
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby="delete-title" aria-describedby="delete-text">
      <DialogTitle id="delete-title">{t("timeline.deleteTitle")}</DialogTitle>
      <DialogContent>
        <DialogContentText
          id="delete-text"
          role={error ? "alert" : undefined}
          color={error ? "error" : undefined}
        >
          {error ?? t("timeline.deleteText")}
        </DialogContentText>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("timeline.cancel")}</Button>
        <Button color="error" variant="contained" onClick={remove} disabled={busy} autoFocus>
          {t("timeline.delete")}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
