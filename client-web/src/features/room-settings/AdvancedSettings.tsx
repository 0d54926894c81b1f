import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import { useClient } from "../../matrix/MatrixProvider";
import type { RoomSummary } from "../../matrix/roomSummary";
import { copy } from "../../shared/copy";
import {
  archive,
  encrypt,
  newerVersion,
  unarchive,
  upgrade,
  type ChannelSettings,
} from "../../matrix/settings";
import { unlessOver } from "../../matrix/unlessOver";
import type { Changing } from "./RoomSettings";

/** Encryption, archiving, the version: what is rarely changed, or not to be taken back. */
export function AdvancedSettings({
  roomId,
  settings,
  room,
  locked,
  change,
  onOpen,
}: Changing & { settings: ChannelSettings; room: RoomSummary; onOpen: (roomId: string) => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [asking, setAsking] = useState<"encrypt" | "archive" | null>(null);
  const [newer, setNewer] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => unlessOver(newerVersion(client, settings.version), setNewer), [client, settings.version]);
  const run = async (action: Promise<unknown>) => {
    setBusy(true);
    await change(action);
    setBusy(false);
    setAsking(null);
  };
  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 3, maxWidth: 560 }}>
      <Part
        title={t("channels.encrypted")}
        text={t(settings.encrypted ? "channels.encryptedOn" : "channels.encryptedOff")}
        locked={settings.encrypted ? null : locked("encryption")}
      >
        {!settings.encrypted && (
          <Button variant="outlined" onClick={() => setAsking("encrypt")}>
            {t("channels.encrypt")}
          </Button>
        )}
      </Part>
      {room.kind === "channel" && (
        <Part
          title={t("channels.archiveTitle")}
          text={t(settings.archived ? "channels.archived" : "channels.archiveText")}
          locked={locked("archive") ?? locked("roles")}
        >
          {settings.archived ? (
            <Button variant="outlined" loading={busy} onClick={() => void run(unarchive(client, roomId))}>
              {t("channels.unarchive")}
            </Button>
          ) : (
            <Button variant="outlined" color="error" onClick={() => setAsking("archive")}>
              {t("channels.archive")}
            </Button>
          )}
        </Part>
      )}
      <Part
        title={t("channels.upgradeTitle")}
        text={
          newer
            ? t("channels.upgradeText", { version: settings.version, newer })
            : t("channels.upgradeNone", { version: settings.version })
        }
        locked={newer ? locked("upgrade") : null}
      >
        {newer && (
          <Button
            variant="outlined"
            loading={busy}
            onClick={() => void run(upgrade(client, roomId, newer).then(onOpen))}
          >
            {t("channels.upgrade")}
          </Button>
        )}
      </Part>
      <Part title={t("channels.roomId")} text={roomId} locked={null}>
        <Button onClick={() => void copy(roomId, t("channels.copied"), t)}>{t("channels.copyId")}</Button>
      </Part>
      {asking && (
        <Sheet
          title={
            asking === "encrypt" ? t("channels.encryptTitle") : t("channels.archiveAsk", { name: room.name })
          }
          width="xs"
          onClose={() => setAsking(null)}
          actions={
            <>
              <Button onClick={() => setAsking(null)}>{t("common.cancel")}</Button>
              <Button
                autoFocus
                variant="contained"
                color={asking === "archive" ? "error" : "primary"}
                loading={busy}
                onClick={() =>
                  void run(asking === "encrypt" ? encrypt(client, roomId) : archive(client, roomId))
                }
              >
                {t(asking === "encrypt" ? "channels.encrypt" : "channels.archive")}
              </Button>
            </>
          }
        >
          <Typography sx={{ color: "text.secondary" }}>
            {t(asking === "encrypt" ? "channels.encryptWarning" : "channels.archiveText")}
          </Typography>
        </Sheet>
      )}
    </Box>
  );
}

interface PartProps {
  title: string;
  text: string;
  locked: string | null;
  children: ReactNode;
}

function Part({ title, text, locked, children }: PartProps) {
  return (
    <Box component="section">
      <Typography variant="h3" component="h3">
        {title}
      </Typography>
      <Typography variant="body2" sx={{ color: "text.secondary", mt: 0.25, overflowWrap: "anywhere" }}>
        {text}
      </Typography>
      {locked !== null ? (
        <Typography variant="body2" sx={{ color: "text.secondary", fontStyle: "italic", mt: 0.5 }}>
          {locked}
        </Typography>
      ) : (
        <Box sx={{ mt: 1 }}>{children}</Box>
      )}
    </Box>
  );
}
