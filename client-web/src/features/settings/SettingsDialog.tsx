import Devices from "@mui/icons-material/DevicesOutlined";
import Chat from "@mui/icons-material/ChatBubbleOutlineOutlined";
import Notifications from "@mui/icons-material/NotificationsNoneOutlined";
import Palette from "@mui/icons-material/PaletteOutlined";
import Person from "@mui/icons-material/PersonOutlineOutlined";
import Shield from "@mui/icons-material/ShieldOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { SectionSheet, type Section } from "../../components/SectionSheet";
import { setAccountData, useAccountData } from "../../matrix/accountData";
import { useClient } from "../../matrix/MatrixProvider";
import { type Preferences, PREFERENCES } from "../../preferences/preferences";
import { preferences, usePreferencesState } from "../../preferences/store";
import { AppearanceSettings } from "./AppearanceSettings";
import { DeviceSettings } from "./DeviceSettings";
import { MessageSettings } from "./MessageSettings";
import { NotificationSettings } from "./NotificationSettings";
import { ProfileSettings } from "../profile/ProfileSettings";
import { later } from "../../i18n/later";

const SecuritySettings = later(() => import("./SecuritySettings").then((part) => part.SecuritySettings));

/** Sections that change something at once, each with buttons of its own. */
const AT_ONCE = new Set(["profile", "devices", "security"]);

/** What a section that changes preferences gets. */
export interface Choosing {
  chosen: Preferences;
  choose: (change: Partial<Preferences>) => void;
}

interface Props {
  page: string;
  onPage: (page: string) => void;
  onClose: () => void;
}

/** The settings. Preferences show at once and are kept when they are saved; closing without saving takes them back. */
export function SettingsDialog({ page, onPage, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const { saved, tried } = usePreferencesState();
  /** What another client keeps there stays. */
  const kept = useAccountData(PREFERENCES);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const chosen = { ...saved, ...tried };
  const changed = JSON.stringify(chosen) !== JSON.stringify(saved);

  useEffect(
    () => () => {
      preferences.try({});
    },
    [],
  );

  const choosing: Choosing = {
    chosen,
    choose: (change) => {
      preferences.try({ ...tried, ...change });
    },
  };
  const save = async () => {
    setBusy(true);
    setFailure("");
    try {
      await setAccountData(client, PREFERENCES, { ...kept, ...chosen });
      preferences.arrived(chosen);
      preferences.try({});
      tell(t("common.saved"));
      onClose();
    } catch (refusal) {
      setFailure(
        t("common.failed", { reason: refusal instanceof Error ? refusal.message : String(refusal) }),
      );
      setBusy(false);
    }
  };

  const sections: readonly Section<string>[] = [
    {
      name: "appearance",
      label: t("settings.appearance"),
      icon: <Palette />,
      draw: () => <AppearanceSettings {...choosing} />,
    },
    {
      name: "notifications",
      label: t("settings.notifications"),
      icon: <Notifications />,
      draw: () => <NotificationSettings {...choosing} />,
    },
    {
      name: "messages",
      label: t("settings.messages"),
      icon: <Chat />,
      draw: () => <MessageSettings {...choosing} />,
    },
    { name: "profile", label: t("settings.profile"), icon: <Person />, draw: () => <ProfileSettings /> },
    { name: "devices", label: t("settings.devices"), icon: <Devices />, draw: () => <DeviceSettings /> },
    {
      name: "security",
      label: t("settings.security"),
      icon: <Shield />,
      draw: () => (
        <Suspense>
          <SecuritySettings />
        </Suspense>
      ),
    },
  ];
  return (
    <SectionSheet
      title={t("settings.title")}
      label={t("settings.sections")}
      sections={sections}
      shown={page}
      onShow={onPage}
      onClose={onClose}
      actions={
        <>
          <Box role="alert" sx={{ flex: 1, px: 1, color: "error.main", fontSize: "0.8125rem" }}>
            {failure}
          </Box>
          <Button onClick={onClose}>{t(changed ? "common.cancel" : "common.close")}</Button>
          {(changed || !AT_ONCE.has(page)) && (
            <Button variant="contained" disabled={!changed} loading={busy} onClick={() => void save()}>
              {t("settings.save")}
            </Button>
          )}
        </>
      }
    />
  );
}
