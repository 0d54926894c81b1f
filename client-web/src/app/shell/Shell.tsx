import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useMatch, useNavigate } from "react-router";

import { Region } from "../../components/Region";
import { RoomList } from "../../features/room-list/RoomList";
import { useClient, useSyncState } from "../../matrix/MatrixProvider";
import { loadOwnProfile } from "../../matrix/profile";
import { ErrorBoundary } from "../ErrorBoundary";
import { moveRegion } from "../keyboard/regions";
import { useShortcuts } from "../keyboard/shortcuts";
import { paths, patterns } from "../paths";
import { Conversation } from "./Conversation";
import { layout } from "./layout";
import { OfflineBanner } from "./OfflineBanner";
import { PageBadge } from "./PageBadge";
import { SkipLinks } from "./SkipLinks";
import { TopBar } from "./TopBar";
import { useDialogs } from "./useDialogs";
import { neighbour } from "./neighbour";
import { roomStore } from "../../matrix/rooms";
import { Welcome } from "./Welcome";

const SettingsDialog = lazy(() =>
  import("../../features/settings/SettingsDialog").then((part) => ({ default: part.SettingsDialog })),
);
const KeysDialog = lazy(() => import("./KeysDialog").then((part) => ({ default: part.KeysDialog })));
const Switcher = lazy(() => import("./Switcher").then((part) => ({ default: part.Switcher })));

/** Everything on the screen of who is logged in. */
export function Shell({ onLoggedOut }: { onLoggedOut: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const dialogs = useDialogs();
  const client = useClient();
  const sync = useSyncState();
  const theme = useTheme();
  const wide = useMediaQuery(theme.breakpoints.up("md"), { noSsr: true });
  const inEvent = useMatch(patterns.event);
  const inRoom = useMatch(patterns.room);
  const roomId = (inEvent ?? inRoom)?.params.roomId;
  const eventId = inEvent?.params.eventId;
  const open = useCallback((to: string) => void navigate(paths.room(to)), [navigate]);

  useEffect(() => {
    if (sync === "live") loadOwnProfile(client).catch(() => undefined);
  }, [client, sync]);

  useShortcuts(
    useMemo(() => {
      const go = (step: 1 | -1, onlyUnread: boolean) => () => {
        const next = neighbour(roomStore(client), roomId, step, onlyUnread);
        if (next) void navigate(paths.room(next));
      };
      return {
        "Mod+K": () => {
          dialogs.show("switch");
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
    }, [client, dialogs, navigate, roomId]),
  );

  const showsList = wide || !roomId;
  const showsRoom = wide || Boolean(roomId);
  return (
    <Box sx={layout.page}>
      <SkipLinks inRoom={Boolean(roomId)} />
      <PageBadge />
      {/* On a narrow screen the open conversation has all of it; the way back leads to the bar. */}
      {showsList && <TopBar dialogs={dialogs} onLoggedOut={onLoggedOut} />}
      <OfflineBanner offline={sync === "offline"} />
      <Box sx={layout.panes}>
        {showsList && (
          <Region component="nav" region="rooms" label={t("app.region.rooms")} sx={layout.sidebar}>
            <ErrorBoundary>
              <RoomList activeRoomId={roomId ?? null} onOpen={open} />
            </ErrorBoundary>
          </Region>
        )}
        {showsRoom && (
          <Box component="main" aria-label={t("app.region.conversation")} sx={layout.conversation}>
            <ErrorBoundary resetOn={roomId}>
              {roomId ? (
                <Conversation key={roomId} roomId={roomId} eventId={eventId ?? null} wide={wide} />
              ) : (
                <Welcome dialogs={dialogs} />
              )}
            </ErrorBoundary>
          </Box>
        )}
      </Box>
      <Suspense>
        {dialogs.open === "switch" && <Switcher dialogs={dialogs} />}
        {dialogs.open === "keys" && <KeysDialog onClose={dialogs.close} />}
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
