import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { alert } from "../../components/Announcer";
import { setAccountData, useAccountData } from "../../matrix/accountData";
import { openDirect } from "../../matrix/directory";
import { useClient } from "../../matrix/MatrixProvider";
import { roomStore, useRooms } from "../../matrix/rooms";
import { type FoundPerson, knownPeople, searchPeople } from "../../matrix/search";
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
  const [wanted, setWanted] = useState("");
  const people = usePeople(wanted);

  const destinations = useMemo(() => {
    const rooms = [...sections.invites, ...sections.direct, ...sections.channels, ...sections.groups].flatMap(
      (roomId): Destination[] => {
        const room = roomStore(client).getSummary(roomId);
        if (!room) return [];
        const go = () => void navigate(paths.room(roomId));
        const hint = room.kind === "direct" ? (room.partner ?? "") : room.topic;
        const unread = room.unread > 0 || room.fresh;
        return [{ id: roomId, name: room.name, kind: room.kind, hint, unread, private: room.private, go }];
      },
    );
    const partners = new Set(
      sections.direct.map((roomId) => roomStore(client).getSummary(roomId)?.partner ?? null),
    );
    const others = people
      .filter((person) => person.userId !== client.getUserId() && !partners.has(person.userId))
      .map((person): Destination => ({
        id: person.userId,
        name: person.name,
        kind: "person",
        hint: person.userId,
        go: () => {
          openDirect(client, person.userId).then(
            (roomId) => void navigate(paths.room(roomId)),
            (reason: unknown) =>
              alert(
                t("common.failed", { reason: reason instanceof Error ? reason.message : String(reason) }),
              ),
          );
        },
      }));
    const command = (id: string, name: string, go: () => void): Destination => ({
      id,
      name,
      kind: "command",
      go,
    });
    const commands = [
      command("search", t("app.panel.searchAll"), () => {
        dialogs.show("search");
      }),
      command("saved", t("app.account.saved"), () => {
        dialogs.show("saved");
      }),
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
    return [...rooms, ...others, ...commands];
  }, [client, dialogs, kept, navigate, people, saved, sections, settings, t]);

  return <QuickSwitcher destinations={destinations} onWanted={setWanted} onClose={dialogs.close} />;
}

/** How long the typing has to rest before the directory is asked. */
const REST = 180;

/** Those whom this browser has heard of, and those whom the directory knows by what is typed. */
function usePeople(wanted: string): readonly FoundPerson[] {
  const client = useClient();
  const [found, setFound] = useState<readonly FoundPerson[]>([]);
  useEffect(() => {
    if (wanted.trim().length < 2) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      searchPeople(client, wanted, stop.signal).then(
        (people) => setFound(people),
        () => undefined,
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [client, wanted]);
  return useMemo(() => {
    const all = new Map([...knownPeople(client), ...found].map((person) => [person.userId, person]));
    return [...all.values()];
  }, [client, found]);
}
