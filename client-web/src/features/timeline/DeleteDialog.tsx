import { useTranslation } from "react-i18next";
import { useState } from "react";
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";

import { Sheet } from "../../components/Sheet";
import type { TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { reasonOf } from "../../matrix/requests";
import { deleteMessage } from "../../matrix/send";
import { ReasonDialog } from "../../shared/ReasonDialog";

interface Props {
  event: TimelineEvent;
  onClose: () => void;
}

/** Asks once before a message is gone for everybody: this cannot be undone. Who removes what others wrote can say why. */
export function DeleteDialog({ event, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  if (event.getSender() === client.getUserId()) return <Own event={event} onClose={onClose} />;
  return (
    <ReasonDialog
      grave
      title={t("timeline.deleteTitle")}
      text={t("people.deleteText")}
      label={t("people.reason")}
      action={t("timeline.delete")}
      onClose={onClose}
      onAct={(reason) => deleteMessage(client, event, reason || undefined)}
    />
  );
}

function Own({ event, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    deleteMessage(client, event).then(onClose, (refusal: unknown) => {
      setError(t("timeline.deleteFailed", { reason: reasonOf(refusal) }));
      setBusy(false);
    });
  };
  return (
    <Sheet
      title={t("timeline.deleteTitle")}
      width="xs"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("timeline.cancel")}</Button>
          <Button
            autoFocus
            color="error"
            variant="contained"
            loading={busy}
            onClick={remove}
            {...{ "data-first": true }}
          >
            {t("timeline.delete")}
          </Button>
        </>
      }
    >
      {error && (
        <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
          {error}
        </Alert>
      )}
      <Typography sx={{ color: "text.secondary" }}>{t("timeline.deleteText")}</Typography>
    </Sheet>
  );
}
