import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { setAccountData, useAccountData } from "../../matrix/accountData";
import { useClient } from "../../matrix/MatrixProvider";
import { roomStore, useRooms } from "../../matrix/rooms";
import { PREFERENCES } from "../../preferences/preferences";
import { preferences, usePreferencesState } from "../../preferences/store";
import { paths } from "../paths";
import { type Destination, QuickSwitcher } from "./QuickSwitcher";
import type { Dialogs } from "./useDialogs";

/** The quick switcher over the rooms and commands of this person. */
export function Switcher({ dialogs }: { dialogs: Dialogs }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useClient();
  const sections = useRooms();
  const { saved, settings } = usePreferencesState();
  const kept = useAccountData(PREFERENCES);

  const destinations = useMemo(() => {
    const rooms = [...sections.invites, ...sections.direct, ...sections.channels, ...sections.groups].flatMap(
      (roomId): Destination[] => {
        const room = roomStore(client).getSummary(roomId);
        if (!room) return [];
        const go = () => void navigate(paths.room(roomId));
        const hint = room.kind === "direct" ? (room.partner ?? "") : room.topic;
        return [
          { id: roomId, name: room.name, kind: room.kind, hint, unread: room.unread > 0 || room.fresh, go },
        ];
      },
    );
    const command = (id: string, name: string, go: () => void): Destination => ({
      id,
      name,
      kind: "command",
      go,
    });
    const commands = [
      command("profile", t("app.account.profile"), () => {
        dialogs.show("settings", "profile");
      }),
      command("settings", t("app.account.settings"), () => {
        dialogs.show("settings");
      }),
      command("keys", t("app.account.keys"), () => {
        dialogs.show("keys");
      }),
      ...settings.available_themes.map((theme) =>
        command(`theme-${theme}`, t("app.switcher.theme", { name: t(`settings.themes.${theme}`) }), () => {
          const chosen = { ...saved, theme };
          preferences.arrived(chosen);
          void setAccountData(client, PREFERENCES, { ...kept, ...chosen });
        }),
      ),
    ];
    return [...rooms, ...commands];
  }, [client, dialogs, kept, navigate, saved, sections, settings, t]);

  return <QuickSwitcher destinations={destinations} onClose={dialogs.close} />;
}
