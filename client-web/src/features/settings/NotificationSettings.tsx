import { useTranslation } from "react-i18next";

import { useAccountData } from "../../matrix/accountData";
import { useClient } from "../../matrix/MatrixProvider";
import { isMuted, setMuted } from "../../matrix/profile";
import { usePreferencesState } from "../../preferences/store";
import { SwitchRow } from "./Rows";
import type { Choosing } from "./SettingsDialog";

/** What makes itself heard. */
export function NotificationSettings({ chosen, choose }: Choosing) {
  const { t } = useTranslation();
  const client = useClient();
  const muted = isMuted(useAccountData("m.push_rules"));
  const { settings } = usePreferencesState();
  const allowed = settings.notification_sounds_enabled;
  return (
    <>
      <SwitchRow
        title={t("settings.sounds.title")}
        text={t(allowed ? "settings.sounds.text" : "settings.sounds.forbidden")}
        disabled={!allowed}
        checked={chosen.notification_sounds && allowed}
        onChange={(notification_sounds) => {
          choose({ notification_sounds });
        }}
      />
      <SwitchRow
        title={t("settings.mute.title")}
        text={t("settings.mute.text")}
        checked={muted}
        onChange={(now) => void setMuted(client, now)}
      />
    </>
  );
}
