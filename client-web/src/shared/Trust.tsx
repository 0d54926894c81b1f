import Good from "@mui/icons-material/GppGoodOutlined";
import Unsure from "@mui/icons-material/GppMaybeOutlined";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../components/Announcer";
import { useTrustChanges } from "../matrix/encryption/hooks";
import {
  acceptChange,
  OwnKeysWanted,
  type PersonTrust,
  readPerson,
  verifyPerson,
} from "../matrix/encryption/security";
import { useClient } from "../matrix/MatrixProvider";
import { failureOf } from "./failure";

/** How sure one can be of somebody, null until it is known; and a way to look again. */
export function usePersonTrust(userId: string): readonly [trust: PersonTrust | null, look: () => void] {
  const client = useClient();
  const changes = useTrustChanges();
  const [trust, setTrust] = useState<PersonTrust | null>(null);
  const asked = useRef(false);
  const look = useCallback(() => {
    readPerson(client, userId, !asked.current).then(setTrust, () => setTrust(null));
    asked.current = true;
  }, [client, userId]);
  useEffect(look, [look, changes]);
  return [trust, look];
}

/** How sure one can be of somebody, in a line. */
export function TrustLine({ trust }: { trust: PersonTrust | null }) {
  const { t } = useTranslation();
  const Icon = trust === "verified" ? Good : Unsure;
  const colour =
    trust === "verified" ? "success.main" : trust === "changed" ? "warning.main" : "text.secondary";
  return (
    <Typography
      variant="body2"
      sx={{ display: "flex", alignItems: "center", gap: 0.5, color: colour, minHeight: 20 }}
    >
      {trust && (
        <>
          <Icon aria-hidden sx={{ fontSize: 15 }} />
          {t(`security.room.trust.${trust}`)}
        </>
      )}
    </Typography>
  );
}

interface Props {
  userId: string;
  name: string;
  trust: PersonTrust | null;
  /** The verification has begun, in a dialog of its own. */
  onVerify?: () => void;
  /** The new keys are accepted. */
  onAccepted: () => void;
}

/** What one can do to be surer. */
export function TrustActions({ userId, name, trust, onVerify, onAccepted }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const attempt = (act: Promise<void>, then?: () => void) => {
    setBusy(true);
    act
      .then(then, (refused: unknown) => {
        alert(refused instanceof OwnKeysWanted ? t("security.room.setUpFirst") : failureOf(refused, t));
      })
      .finally(() => setBusy(false));
  };
  return (
    <>
      {trust === "changed" && (
        <Button disabled={busy} onClick={() => attempt(acceptChange(client, userId), onAccepted)}>
          {t("security.room.accept")}
        </Button>
      )}
      {(trust === "unverified" || trust === "changed") && (
        <Button
          variant="outlined"
          loading={busy}
          aria-label={t("security.verify.person", { name })}
          onClick={() => attempt(verifyPerson(client, userId), onVerify)}
        >
          {t("security.action.verify")}
        </Button>
      )}
    </>
  );
}
