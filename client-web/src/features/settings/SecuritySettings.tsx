import Check from "@mui/icons-material/GppGoodOutlined";
import Warning from "@mui/icons-material/GppMaybeOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { Suspense, useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { alert, useAnnounced } from "../../components/Announcer";
import { Later } from "../../components/Later";
import { ListSkeleton } from "../../components/Skeletons";
import { useEncryption, useEncryptionState, useTrustChanges } from "../../matrix/encryption/hooks";
import { readSecurity, type Security, verifyThisDevice } from "../../matrix/encryption/security";
import { useUnsavedKey } from "../../matrix/encryption/unsavedKey";
import { useClient } from "../../matrix/MatrixProvider";
import { failureOf } from "../../shared/failure";
import { DeactivatePart, PasswordPart } from "./AccountParts";
import { Part } from "./Rows";
import { later } from "../../i18n/later";

const SetUpDialog = later(() => import("./SetUpDialog").then((part) => part.SetUpDialog));
const RecoverDialog = later(() => import("./RecoverDialog").then((part) => part.RecoverDialog));
const KeyFileDialog = later(() => import("./KeyFileDialog").then((part) => part.KeyFileDialog));

type Open = "set-up" | "new-key" | "start-over" | "recover" | "export" | "import";

/** How this account's encryption stands, and what to do about it. */
export function SecuritySettings() {
  const { t } = useTranslation();
  const client = useClient();
  const encryption = useEncryption();
  const state = useEncryptionState();
  const trustChanges = useTrustChanges();
  const trouble = state === "elsewhere" || state === "failed" ? t(`security.${state}`) : "";
  useAnnounced(trouble);
  const [known, setSecurity] = useState<Security | null>(null);
  const [failure, setFailure] = useState("");
  const loading = useCalm(known === null && trouble === "" && failure === "");
  const security = loading ? null : known;
  const [open, setOpen] = useState<Open | null>(null);
  // A key that nobody has saved comes back, whatever closed it.
  const unsaved = useUnsavedKey() !== null;
  const setting =
    open === "set-up" || open === "new-key" || open === "start-over" ? open : unsaved ? "set-up" : null;

  const load = useCallback(() => {
    readSecurity(client).then(
      (read) => {
        setSecurity(read);
        setFailure("");
      },
      (refused: unknown) => setFailure(failureOf(refused, t)),
    );
  }, [client, t]);
  // Also when the keys have come, or a verification is over.
  useEffect(load, [load, state, trustChanges]);

  const close = () => {
    setOpen(null);
    load();
  };
  const compare = () => {
    verifyThisDevice(client).catch((refused: unknown) => alert(failureOf(refused, t)));
  };
  return (
    <>
      <PasswordPart />
      <Typography variant="h3" component="h3" sx={{ mb: 1 }}>
        {t("security.title")}
      </Typography>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 2 }}>
        {t("security.lead")}
      </Typography>
      {trouble ? (
        <Box sx={{ display: "flex", gap: 2, alignItems: "center", flexWrap: "wrap", mb: 3 }}>
          <Typography sx={{ flex: 1, minWidth: 200 }}>{trouble}</Typography>
          <Button variant="outlined" onClick={() => encryption.wake()}>
            {t(state === "elsewhere" ? "security.useHere" : "app.failure.retry")}
          </Button>
        </Box>
      ) : failure && !security ? (
        <Box sx={{ display: "flex", gap: 2, alignItems: "center", flexWrap: "wrap", mb: 3 }}>
          <Typography role="alert" sx={{ flex: 1, minWidth: 200 }}>
            {failure}
          </Typography>
          <Button variant="outlined" onClick={load}>
            {t("app.failure.retry")}
          </Button>
        </Box>
      ) : security ? (
        <Standing security={security} onOpen={setOpen} onCompare={compare} />
      ) : (
        <Later>
          <ListSkeleton rows={2} height={56} />
        </Later>
      )}
      {security && (
        <>
          <Part title={t("security.more")}>
            <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.5 }}>
              {t("security.moreText")}
            </Typography>
            <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
              <Button variant="outlined" onClick={() => setOpen("export")}>
                {t("security.action.export")}
              </Button>
              <Button variant="outlined" onClick={() => setOpen("import")}>
                {t("security.action.import")}
              </Button>
            </Box>
          </Part>
          {security.identity && (security.verified || help(security) !== "none") && (
            <Part title={t("security.lost")}>
              <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.5 }}>
                {t("security.lostText")}
              </Typography>
              <Button variant="outlined" color="error" onClick={() => setOpen("start-over")}>
                {t("security.action.startOver")}
              </Button>
            </Part>
          )}
        </>
      )}
      <DeactivatePart />
      <Suspense>
        {setting && <SetUpDialog kind={setting} onClose={close} />}
        {open === "recover" && <RecoverDialog onClose={close} onLost={() => setOpen("start-over")} />}
        {(open === "export" || open === "import") && <KeyFileDialog kind={open} onClose={close} />}
      </Suspense>
    </>
  );
}

function Standing({
  security,
  onOpen,
  onCompare,
}: {
  security: Security;
  onOpen: (dialog: Open) => void;
  onCompare: () => void;
}) {
  const { t } = useTranslation();
  const kind = !security.identity
    ? "none"
    : !security.verified
      ? "unverified"
      : security.recovery && security.backedUp
        ? "good"
        : "noBackup";
  const good = kind === "good";
  const Icon = good ? Check : Warning;
  return (
    <Box
      component="section"
      aria-labelledby="security-standing"
      sx={{ border: 1, borderColor: "divider", borderRadius: 2, p: 2, mb: 3.5, bgcolor: "surface.sidebar" }}
    >
      <Box sx={{ display: "flex", gap: 1.5 }}>
        <Icon aria-hidden sx={{ fontSize: 28, color: good ? "success.main" : "warning.main" }} />
        <Box sx={{ flex: 1 }}>
          <Typography variant="h3" id="security-standing" sx={{ mb: 0.5 }}>
            {t(`security.state.${kind}`)}
          </Typography>
          <Typography variant="body2" sx={{ color: "text.secondary" }}>
            {t(`security.state.${kind}Text`)}
            {kind === "unverified" && ` ${t(`security.state.help.${help(security)}`)}`}
          </Typography>
        </Box>
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, mt: 2, justifyContent: "flex-end" }}>
        {kind === "none" && (
          <Button variant="contained" onClick={() => onOpen("set-up")}>
            {t("security.action.setUp")}
          </Button>
        )}
        {kind === "unverified" && help(security) === "none" && (
          <Button variant="contained" color="error" onClick={() => onOpen("start-over")}>
            {t("security.action.startOver")}
          </Button>
        )}
        {kind === "unverified" && (
          <>
            {security.recovery && (
              <Button variant={security.others ? "outlined" : "contained"} onClick={() => onOpen("recover")}>
                {t("security.action.recoveryKey")}
              </Button>
            )}
            {security.others && (
              <Button variant="contained" onClick={onCompare}>
                {t("security.action.otherDevice")}
              </Button>
            )}
          </>
        )}
        {(kind === "noBackup" || kind === "good") && (
          <Button variant={good ? "outlined" : "contained"} onClick={() => onOpen("new-key")}>
            {t("security.action.newKey")}
          </Button>
        )}
      </Box>
    </Box>
  );
}

/** What can verify this device. */
function help({ recovery, others }: Security): "both" | "device" | "key" | "none" {
  if (others) return recovery ? "both" : "device";
  return recovery ? "key" : "none";
}
