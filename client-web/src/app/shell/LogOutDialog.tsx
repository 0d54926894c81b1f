import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import { losesKeys } from "../../matrix/encryption/security";
import { holdKey, useUnsavedKey } from "../../matrix/encryption/unsavedKey";
import { useClient } from "../../matrix/MatrixProvider";
import { unlessOver } from "../../matrix/unlessOver";

interface Props {
  onLogOut: () => void;
  /** To where the keys can be backed up. */
  onBackUp: () => void;
  onClose: () => void;
}

/** Asks before a log-out that would lose messages for ever; lets any other pass. */
export function LogOutDialog({ onLogOut, onBackUp, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const unsaved = useUnsavedKey() !== null;
  const [asks, setAsks] = useState(unsaved);
  const leave = () => {
    holdKey(client, null);
    onLogOut();
  };
  const goOn = useEffectEvent((loses: boolean) => {
    if (loses) setAsks(true);
    else onLogOut();
  });
  useEffect(() => {
    if (asks) return;
    return unlessOver(losesKeys(client), (loses) => goOn(loses));
  }, [asks, client]);
  if (!asks) return null;
  return (
    <Sheet
      title={t("security.logOut.title")}
      width="xs"
      onClose={onClose}
      actions={
        <>
          <Button color="error" onClick={leave}>
            {t("security.logOut.anyway")}
          </Button>
          <Button variant="contained" autoFocus onClick={onBackUp}>
            {t("security.logOut.backUp")}
          </Button>
        </>
      }
    >
      <Typography sx={{ pb: 1 }}>{t("security.logOut.text")}</Typography>
    </Sheet>
  );
}
