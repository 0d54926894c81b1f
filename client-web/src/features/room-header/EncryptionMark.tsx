import VpnKeyIcon from "@mui/icons-material/VpnKeyOutlined";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { later } from "../../i18n/later";

const EncryptionDialog = later(() => import("./EncryptionDialog").then((part) => part.EncryptionDialog));

/** That a conversation is encrypted; leads to who is verified in it. */
export function EncryptionMark({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <IconAction
        label={t("members.encrypted")}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
        sx={{ width: 26, height: 26, flex: "none" }}
      >
        <VpnKeyIcon sx={{ fontSize: 15 }} />
      </IconAction>
      <Suspense>{open && <EncryptionDialog roomId={roomId} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
