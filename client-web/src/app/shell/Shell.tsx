import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { Suspense, useCallback, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useMatch, useNavigate } from "react-router";

import { alert } from "../../components/Announcer";
import { Region } from "../../components/Region";
import { RoomList } from "../../features/room-list/RoomList";
import { later } from "../../i18n/later";
import { useVerificationAsked } from "../../matrix/encryption/hooks";
import { useClient, useSyncState } from "../../matrix/MatrixProvider";
import { onRefused } from "../../matrix/Outbox";
import { loadOwnProfile } from "../../matrix/profile";
import { failureOf } from "../../shared/failure";
import { placeOfAddress } from "../address";
import { ErrorBoundary } from "../ErrorBoundary";
import { moveRegion } from "../keyboard/regions";
import { useShortcuts } from "../keyboard/shortcuts";
import { holdTyping } from "../keyboard/typedAhead";
import { paths, patterns } from "../paths";
import { Conversation } from "./Conversation";
import { layout } from "./layout";
import { OfflineBanner } from "./OfflineBanner";
import { Begin } from "./Begin";
import { PageBadge } from "./PageBadge";
import { SkipLinks } from "./SkipLinks";
import { TopBar } from "./TopBar";
import { useDialogs } from "./useDialogs";
import { keepPage } from "./keepPage";
import { neighbour } from "./neighbour";
import { roomStore } from "../../matrix/rooms";
import { useRoomMenu } from "./useRoomMenu";
import { followStatus, loadStatus } from "../../matrix/status";
import { useIsNew, Welcome } from "./Welcome";
import { WhenKnown } from "./WhenKnown";

const SettingsDialog = later(() =>
  import("../../features/settings/SettingsDialog").then((part) => part.SettingsDialog),
);
const SearchDialog = later(() =>
  import("../../features/search/SearchDialog").then((part) => part.SearchDialog),
);
const Saved = later(() => import("../../features/collections/Saved").then((part) => part.Saved));
const KeysDialog = later(() => import("./KeysDialog").then((part) => part.KeysDialog));
const NewChat = later(() => import("../../features/new-chat/NewChat").then((part) => part.NewChat));
const Channels = later(() => import("../../features/channels/Channels").then((part) => part.Channels));
const RoomSettings = later(() =>
  import("../../features/room-settings/RoomSettings").then((part) => part.RoomSettings),
);
const InviteDialog = later(() =>
  import("../../features/members/InviteDialog").then((part) => part.InviteDialog),
);
const StatusDialog = later(() =>
  import("../../features/profile/StatusDialog").then((part) => part.StatusDialog),
);
const Switcher = later(() => import("./Switcher").then((part) => part.Switcher));

const VerificationDialog = later(() =>
  import("../../features/verification/VerificationDialog").then((part) => part.VerificationDialog),
);

const Notifications = later(() =>
  import("../../features/notifications/Notifications").then((part) => part.Notifications),
);

const Notices = later(() => import("./Notices").then((part) => part.Notices));

/** Everything on the screen of who is logged in. */
export function Shell({ onLoggedOut }: { onLoggedOut: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const dialogs = useDialogs();
  const client = useClient();
  const sync = useSyncState();
  const asked = useVerificationAsked();
  const theme = useTheme();
  const wide = useMediaQuery(theme.breakpoints.up("md"), { noSsr: true });
  const inEvent = useMatch(patterns.event);
  const inRoom = useMatch(patterns.room);
  const roomId = (inEvent ?? inRoom)?.params.roomId;
  const eventId = inEvent?.params.eventId;
  const open = useCallback((to: string) => void navigate(paths.room(to)), [navigate]);

  const openFrom = useCallback(
    (to: string, event: string | null) => void navigate(event ? paths.event(to, event) : paths.room(to)),
    [navigate],
  );

  useEffect(() => {
    if (sync !== "live") return;
    loadOwnProfile(client).catch(() => undefined);
    loadStatus(client).catch(() => undefined);
  }, [client, sync]);
  useEffect(() => followStatus(client), [client]);
  useEffect(keepPage, []);
  useEffect(() => onRefused(client, (error) => alert(failureOf(error, t))), [client, t]);

  useShortcuts(
    useMemo(() => {
      const go = (step: 1 | -1, onlyUnread: boolean) => () => {
        // By the address, which has moved already when the page is still being drawn: no press is lost.
        const next = neighbour(roomStore(client), placeOfAddress().roomId ?? undefined, step, onlyUnread);
        if (next) void navigate(paths.room(next));
      };
      return {
        "Mod+K": () => {
          if (dialogs.open !== "switch") holdTyping(dialogs.close);
          dialogs.show("switch");
        },
        "Mod+Shift+F": () => {
          dialogs.show("search");
        },
        "Mod+/": () => {
          dialogs.show("keys");
        },
        "Mod+,": () => {
          dialogs.show("settings");
        },
        F6: () => {
          moveRegion(1);
        },
        "Shift+F6": () => {
          moveRegion(-1);
        },
        "Alt+ArrowDown": go(1, false),
        "Alt+ArrowUp": go(-1, false),
        "Alt+Shift+ArrowDown": go(1, true),
        "Alt+Shift+ArrowUp": go(-1, true),
      };
    }, [client, dialogs, navigate]),
  );

  const menu = useRoomMenu(dialogs, roomId);
  // On a narrow screen one of both; who has no conversation yet is told there how to begin.
  const isNew = useIsNew();
  const showsBar = wide || !roomId;
  const showsList = wide || (!roomId && !isNew);
  const showsRoom = wide || Boolean(roomId) || isNew;
  return (
    <Box sx={layout.page}>
      <SkipLinks inRoom={Boolean(roomId)} />
      <PageBadge />
      {/* On a narrow screen the open conversation has all of it; the way back leads to the bar. */}
      {showsBar && <TopBar dialogs={dialogs} onLoggedOut={onLoggedOut} />}
      <OfflineBanner offline={sync === "offline"} />
      <Suspense>{sync === "live" && <Notices dialogs={dialogs} onOpen={open} />}</Suspense>
      <Box sx={layout.panes}>
        {showsList && (
          <Region component="nav" region="rooms" label={t("app.region.rooms")} sx={layout.sidebar}>
            <ErrorBoundary>
              <RoomList
                activeRoomId={roomId ?? null}
                onOpen={open}
                menu={menu}
                actions={(section) => <Begin section={section} dialogs={dialogs} />}
              />
            </ErrorBoundary>
          </Region>
        )}
        {showsRoom && (
          <Box component="main" aria-label={t("app.region.conversation")} sx={layout.conversation}>
            <ErrorBoundary resetOn={roomId}>
              {roomId ? (
                <WhenKnown roomId={roomId}>
                  <Conversation
                    key={roomId}
                    roomId={roomId}
                    eventId={eventId ?? null}
                    wide={wide}
                    dialogs={dialogs}
                  />
                </WhenKnown>
              ) : (
                <Welcome dialogs={dialogs} onOpen={open} />
              )}
            </ErrorBoundary>
          </Box>
        )}
      </Box>
      <Suspense>
        {(sync === "live" || sync === "offline") && (
          <Notifications roomId={roomId ?? null} onOpen={openFrom} />
        )}
      </Suspense>
      <Suspense>{asked && <VerificationDialog request={asked} />}</Suspense>
      <Suspense>
        {dialogs.open === "switch" && <Switcher dialogs={dialogs} />}
        {dialogs.open === "search" && (
          <SearchDialog
            line={dialogs.page}
            onKeep={(line) => {
              dialogs.show("search", line);
            }}
            onOpenRoom={(id, event) => void navigate(event ? paths.event(id, event) : paths.room(id))}
            onClose={dialogs.close}
          />
        )}
        {dialogs.open === "saved" && (
          <Saved onOpen={(id, event) => void navigate(paths.event(id, event))} onClose={dialogs.close} />
        )}
        {dialogs.open === "keys" && <KeysDialog onClose={dialogs.close} />}
        {dialogs.open === "new" && <NewChat onClose={dialogs.close} onOpen={open} />}
        {dialogs.open === "channels" && (
          <Channels
            page={dialogs.page}
            onPage={(page) => {
              dialogs.show("channels", page);
            }}
            onClose={dialogs.close}
            onOpen={open}
          />
        )}
        {dialogs.open === "room" && roomId && (
          <RoomSettings
            roomId={roomId}
            page={dialogs.page}
            onPage={(page) => {
              dialogs.show("room", page);
            }}
            onClose={dialogs.close}
            onOpen={open}
          />
        )}
        {dialogs.open === "invite" && roomId && <InviteDialog roomId={roomId} onClose={dialogs.close} />}
        {dialogs.open === "status" && <StatusDialog onClose={dialogs.close} />}
        {dialogs.open === "settings" && (
          <SettingsDialog
            page={dialogs.page}
            onPage={(page) => {
              dialogs.show("settings", page);
            }}
            onClose={dialogs.close}
          />
        )}
      </Suspense>
    </Box>
  );
}
