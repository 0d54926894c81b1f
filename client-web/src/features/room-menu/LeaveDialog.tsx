import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import { useClient } from "../../matrix/MatrixProvider";
import { reasonOf } from "../../matrix/requests";
import { forgetRoom, leaveRoom } from "../../matrix/roomActions";
import { useRoom } from "../../matrix/rooms";

/** Asks before a room is left: where one cannot come back alone, that is worth a question. */
export function LeaveDialog({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const [forget, setForget] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  if (!room) return null;
  const leave = () => {
    setBusy(true);
    (forget ? forgetRoom(client, roomId) : leaveRoom(client, roomId)).then(onClose, (error: unknown) => {
      setFailure(reasonOf(error));
      setBusy(false);
    });
  };
  return (
    <Sheet
      title={t("rooms.leaveTitle", { name: room.name })}
      width="xs"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button autoFocus color="error" variant="contained" loading={busy} onClick={leave}>
            {t("rooms.leave")}
          </Button>
        </>
      }
    >
      {failure && (
        <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
          {t("common.failed", { reason: failure })}
        </Alert>
      )}
      <Typography sx={{ color: "text.secondary" }}>
        {room.kind === "channel" && !room.private ? t("rooms.leavePublic") : t("rooms.leavePrivate")}
      </Typography>
      <FormControlLabel
        control={<Checkbox size="small" checked={forget} onChange={(_, now) => setForget(now)} />}
        label={t("rooms.forget")}
        sx={{ mt: 1 }}
      />
    </Sheet>
  );
}
