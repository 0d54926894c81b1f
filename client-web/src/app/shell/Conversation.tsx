import Box from "@mui/material/Box";
import { Suspense, useCallback, useMemo, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { PanelHeader } from "../../components/PanelHeader";
import { Region } from "../../components/Region";
import { Composer } from "../../features/composer/Composer";
import { RoomHeader } from "../../features/room-header/RoomHeader";
import { Thread } from "../../features/timeline/Thread";
import { Timeline } from "../../features/timeline/Timeline";
import { later } from "../../i18n/later";
import { useOpenMatrix } from "../../matrix/directory";
import { useSyncState } from "../../matrix/MatrixProvider";
import { useRoomFacts } from "../../matrix/rooms";
import { placeOfAddress } from "../address";
import { useShortcuts } from "../keyboard/shortcuts";
import { paths } from "../paths";
import { HeaderActions, useWays } from "./HeaderActions";
import { useRoomMenu } from "./useRoomMenu";
import type { Dialogs } from "./useDialogs";
import { BESIDE, usePanel, writePanel, writingPlace } from "./usePanel";

const MemberList = later(() => import("../../features/members/MemberList").then((part) => part.MemberList));
const ChangedPerson = later(() =>
  import("../../features/room-header/ChangedPerson").then((part) => part.ChangedPerson),
);
const PersonCard = later(() => import("../../features/members/PersonCard").then((part) => part.PersonCard));
const Pinned = later(() => import("../../features/collections/Pinned").then((part) => part.Pinned));
const Threads = later(() => import("../../features/collections/Threads").then((part) => part.Threads));
const RoomSearch = later(() => import("../../features/search/RoomSearch").then((part) => part.RoomSearch));
const Door = later(() => import("../../features/door/Door").then((part) => part.Door));

interface Props {
  roomId: string;
  eventId: string | null;
  /** Beside the list of rooms, not instead of it. */
  wide: boolean;
  dialogs: Dialogs;
}

/** The open room, or what stands before one that one is not in. */
export function Conversation(props: Props) {
  const room = useRoomFacts(props.roomId);
  const sync = useSyncState();
  const navigate = useNavigate();
  const outside = room ? room.invited || room.waiting : sync === "live";
  const { wide } = props;
  if (!outside) return <Inside {...props} />;
  const gone = () => void navigate(paths.chat);
  return (
    <Region region="timeline" label={room?.name ?? ""} sx={{ flex: 1, minHeight: 0, display: "flex" }}>
      <Suspense>
        <Door roomId={props.roomId} onGone={gone} onBack={wide ? undefined : gone} />
      </Suspense>
    </Region>
  );
}

/** Header, messages, composer, and what is opened beside them. */
function Inside({ roomId, eventId, wide, dialogs }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const room = useRoomFacts(roomId);
  const { panel, show, close, toggle } = usePanel();
  const ways = useWays(roomId);
  const menu = useRoomMenu(
    dialogs,
    roomId,
    wide ? undefined : ways.map(({ what, label }) => ({ label, go: () => show({ what }) })),
  );
  const openThread = useCallback(
    (threadId: string, at?: string) => {
      // The address of a message that is in a thread leads there, and going back not to it again.
      if (at && placeOfAddress().eventId === at) {
        const search = new URLSearchParams({ [BESIDE]: writePanel({ what: "thread", threadId, at }) });
        void navigate({ pathname: paths.room(roomId), search: `?${search.toString()}` }, { replace: true });
      } else show({ what: "thread", threadId, ...(at ? { at } : {}) });
    },
    [navigate, roomId, show],
  );
  useShortcuts(
    useMemo(
      () => ({
        "Mod+F": () => {
          // Once more in the field itself: the browser's own search.
          if (document.activeElement?.closest("[data-search]")) return false;
          show({ what: "search" });
          return true;
        },
      }),
      [show],
    ),
  );
  const openPerson = useCallback(
    (userId: string) => show({ what: "person", userId, fromMembers: false }),
    [show],
  );
  const linkTo = useCallback(
    (event: string) => new URL(paths.event(roomId, event), location.href).href,
    [roomId],
  );
  const jump = useCallback(
    (event: string) => {
      // What has no room beside the messages makes way for them; going back leads to it again. By the address, as it is by now: what
      // leads to messages is not made anew with each of them.
      const beside = new URLSearchParams(location.search).get(BESIDE);
      const search =
        wide && beside !== null ? `?${new URLSearchParams({ [BESIDE]: beside }).toString()}` : "";
      if (wide && event === placeOfAddress().eventId)
        // There already, perhaps scrolled away.
        document.dispatchEvent(new CustomEvent("orvale:to-event", { detail: { roomId, event } }));
      else void navigate({ pathname: paths.event(roomId, event), search });
    },
    [navigate, roomId, wide],
  );
  const openRoom = useCallback(
    (id: string, event: string | null) => {
      if (event && id === roomId) jump(event);
      else void navigate(event ? paths.event(id, event) : paths.room(id));
    },
    [jump, navigate, roomId],
  );
  const openMatrix = useOpenMatrix(openRoom, openPerson);
  const openTitle = () => {
    if (room?.partner && room.kind === "direct")
      toggle({ what: "person", userId: room.partner, fromMembers: false });
    else dialogs.show("room");
  };
  const onPanelKey = (press: KeyboardEvent) => {
    if (press.key !== "Escape" || press.defaultPrevented) return;
    // A dialog or menu above it closes first; it lies elsewhere in the page.
    if (!press.currentTarget.contains(press.target as Node)) return;
    press.stopPropagation();
    close();
  };
  const showsRoom = wide || panel === null;

  return (
    <Box sx={{ flex: 1, minHeight: 0, display: "flex" }}>
      {showsRoom && (
        <Box data-drop sx={{ flex: 1, minWidth: 0, display: "flex", flexDirection: "column" }}>
          <RoomHeader
            roomId={roomId}
            onToggleMembers={() => toggle({ what: "members" })}
            membersOpen={panel?.what === "members"}
            onOpenTitle={openTitle}
            menu={menu}
            actions={wide && <HeaderActions ways={ways} open={panel?.what ?? null} onToggle={toggle} />}
            {...(wide ? {} : { onBack: () => void navigate(paths.chat) })}
          />
          {room?.encrypted && (
            <Suspense>
              <ChangedPerson roomId={roomId} />
            </Suspense>
          )}
          <Region
            region="timeline"
            label={t("app.region.timeline")}
            sx={{ flex: 1, minHeight: 0, display: "flex", flexDirection: "column" }}
          >
            <Timeline
              roomId={roomId}
              focusEventId={eventId}
              onOpenThread={openThread}
              onOpenMatrix={openMatrix}
              linkTo={linkTo}
            />
          </Region>
          <Region region="composer" label={t("app.region.composer")}>
            <Composer roomId={roomId} />
          </Region>
        </Box>
      )}
      {panel && (
        <Region
          component="aside"
          region="panel"
          data-drop
          label={t("app.region.panel")}
          onKeyDown={onPanelKey}
          sx={{
            width: { xs: "100%", md: 360 },
            flex: "none",
            minHeight: 0,
            display: "flex",
            flexDirection: "column",
            borderInlineStart: { md: "1px solid" },
            borderColor: { md: "divider" },
          }}
        >
          {panel.what === "thread" && (
            <Thread
              roomId={roomId}
              threadId={panel.threadId}
              at={panel.at ?? null}
              onClose={close}
              onOpenMatrix={openMatrix}
              linkTo={linkTo}
            >
              <Composer roomId={roomId} threadId={panel.threadId} />
            </Thread>
          )}
          {panel.what === "pinned" && (
            <Suspense>
              <Pinned roomId={roomId} onJump={jump} onClose={close} />
            </Suspense>
          )}
          {panel.what === "threads" && (
            <Suspense>
              <Threads roomId={roomId} onOpen={openThread} onClose={close} />
            </Suspense>
          )}
          {panel.what === "search" && (
            <Suspense>
              <RoomSearch roomId={roomId} onJump={jump} onClose={close} />
            </Suspense>
          )}
          {panel.what === "members" && (
            <>
              <PanelHeader
                takesFocus
                title={t("members.title")}
                closeLabel={t("members.hide")}
                onClose={close}
              />
              <Suspense>
                <MemberList
                  roomId={roomId}
                  onOpenPerson={(userId) => show({ what: "person", userId, fromMembers: true })}
                  onInvite={() => dialogs.show("invite")}
                />
              </Suspense>
            </>
          )}
          {panel.what === "person" && (
            <>
              <PanelHeader
                takesFocus
                title={t("members.person")}
                closeLabel={t("common.close")}
                onClose={close}
                {...(panel.fromMembers
                  ? { back: { label: t("members.backToList"), go: () => show({ what: "members" }) } }
                  : {})}
              />
              <Suspense>
                <PersonCard
                  key={panel.userId}
                  userId={panel.userId}
                  roomId={roomId}
                  onOpenRoom={(id) => {
                    if (id === roomId) close();
                    else openRoom(id, null);
                  }}
                  onEditProfile={() => dialogs.show("settings", "profile")}
                  onWrite={() => {
                    if (!wide) close();
                    setTimeout(() => writingPlace()?.focus(), 0);
                  }}
                />
              </Suspense>
            </>
          )}
        </Region>
      )}
    </Box>
  );
}
