import Devices from "@mui/icons-material/DevicesOutlined";
import Shield from "@mui/icons-material/GppMaybeOutlined";
import Storage from "@mui/icons-material/SdCardAlertOutlined";
import Key from "@mui/icons-material/VpnKeyOutlined";
import Update from "@mui/icons-material/SystemUpdateAltOutlined";
import Button from "@mui/material/Button";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { Strip } from "../../components/Strip";
import { useEncryption, useEncryptionState, useTrustChanges } from "../../matrix/encryption/hooks";
import { readSecurity } from "../../matrix/encryption/security";
import { useUnsavedKey } from "../../matrix/encryption/unsavedKey";
import { useClient, useSyncState } from "../../matrix/MatrixProvider";
import { knowsDevices, rememberDevices } from "../../matrix/newDevices";
import { type Device, listDevices } from "../../matrix/profile";
import { onStorageTrouble, storageTrouble } from "../../matrix/storageTrouble";
import { isNewer, keepProgram, lookForNewer, onNewer } from "../worker";
import type { Dialogs } from "./useDialogs";

interface Props {
  dialogs: Dialogs;
  onOpen: (roomId: string) => void;
}

/** What the page has to say about itself and the account: one line at a time, the most urgent first. */
export function Notices({ dialogs, onOpen }: Props) {
  const { t } = useTranslation();
  const sync = useSyncState();
  const newer = useSyncExternalStore(onNewer, isNewer);
  const trouble = useSyncExternalStore(onStorageTrouble, storageTrouble);
  const [logins, forget] = useNewLogins();
  const unverified = useUnverified();
  const unsavedKey = useUnsavedKey() !== null;
  const [put, setPut] = useState<ReadonlySet<string>>(new Set());
  const away = (name: string) => () => setPut(new Set([...put, name]));

  useEffect(() => keepProgram(onOpen), [onOpen]);
  useEffect(() => {
    // A server that was away may have come back as a newer one.
    if (sync === "live") lookForNewer();
  }, [sync]);

  const [login] = logins;
  const lines: Array<[boolean, string, ReactNode]> = [
    [
      unsavedKey,
      "key",
      <Strip
        key="key"
        icon={<Key />}
        text={t("security.notice.unsavedKey")}
        actions={
          <Button size="small" onClick={() => dialogs.show("settings", "security")}>
            {t("security.notice.showKey")}
          </Button>
        }
      />,
    ],
    [
      login !== undefined,
      "login",
      login && (
        <Strip
          icon={<Devices />}
          text={t("security.notice.newDevice", { name: login.name })}
          onDismiss={forget}
          actions={
            <>
              <Button size="small" onClick={forget}>
                {t("security.notice.isMine")}
              </Button>
              <Button
                size="small"
                onClick={() => {
                  forget();
                  dialogs.show("settings", "devices");
                }}
              >
                {t("security.notice.look")}
              </Button>
            </>
          }
        />
      ),
    ],
    [
      newer,
      "newer",
      <Strip
        key="newer"
        icon={<Update />}
        text={t("notices.newer")}
        onDismiss={away("newer")}
        actions={
          <Button size="small" onClick={() => location.reload()}>
            {t("app.failure.reload")}
          </Button>
        }
      />,
    ],
    [
      unverified,
      "unverified",
      <Strip
        key="unverified"
        icon={<Shield />}
        text={t("security.notice.verifyThis")}
        onDismiss={away("unverified")}
        actions={
          <Button size="small" onClick={() => dialogs.show("settings", "security")}>
            {t("security.action.verify")}
          </Button>
        }
      />,
    ],
    [
      trouble,
      "storage",
      <Strip key="storage" icon={<Storage />} text={t("notices.storage")} onDismiss={away("storage")} />,
    ],
  ];
  return lines.find(([is, name]) => is && !put.has(name))?.[2] ?? null;
}

/** Logins to this account that nobody has seen yet. */
function useNewLogins(): [readonly Device[], () => void] {
  const client = useClient();
  const encryption = useEncryption();
  const [fresh, setFresh] = useState<readonly Device[]>([]);
  useEffect(() => {
    const me = client.getSafeUserId();
    const look = () => {
      listDevices(client).then(
        (devices) => {
          const known = knowsDevices(me);
          if (known) setFresh(devices.filter((device) => !device.current && !known.includes(device.id)));
          else rememberDevices(me, devices);
        },
        () => undefined,
      );
    };
    look();
    return encryption.onDevices((userIds) => {
      if (userIds.includes(me)) look();
    });
  }, [client, encryption]);
  const forget = () => {
    setFresh([]);
    listDevices(client).then(
      (devices) => rememberDevices(client.getSafeUserId(), devices),
      () => undefined,
    );
  };
  return [fresh, forget];
}

/** Whether the account uses encryption and this device is not verified; nothing is loaded to know it. */
function useUnverified(): boolean {
  const client = useClient();
  const state = useEncryptionState();
  const changes = useTrustChanges();
  const [unverified, setUnverified] = useState(false);
  useEffect(() => {
    if (state !== "here") return;
    readSecurity(client).then(
      ({ identity, verified }) => setUnverified(identity && !verified),
      () => undefined,
    );
  }, [client, state, changes]);
  return unverified;
}
