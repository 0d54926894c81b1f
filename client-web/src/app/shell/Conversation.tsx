import Box from "@mui/material/Box";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { PanelHeader } from "../../components/PanelHeader";
import { Region } from "../../components/Region";
import { Composer } from "../../features/composer/Composer";
import { MemberList } from "../../features/members/MemberList";
import { RoomHeader } from "../../features/room-header/RoomHeader";
import { Thread } from "../../features/timeline/Thread";
import { Timeline } from "../../features/timeline/Timeline";
import { useOpenMatrix } from "../../matrix/directory";
import { paths } from "../paths";

interface Props {
  roomId: string;
  eventId: string | null;
  /** Beside the list of rooms, not instead of it. */
  wide: boolean;
}

type Panel = { readonly what: "members" } | { readonly what: "thread"; readonly threadId: string };

/** The open room: header, messages, composer, and what is opened beside them. */
export function Conversation({ roomId, eventId, wide }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [open, setOpen] = useState<{ readonly roomId: string; readonly panel: Panel } | null>(null);
  // A panel belongs to the room it was opened in.
  const panel = open?.roomId === roomId ? open.panel : null;
  const close = useCallback(() => setOpen(null), []);
  const openThread = useCallback(
    (threadId: string) => setOpen({ roomId, panel: { what: "thread", threadId } }),
    [roomId],
  );
  const toggleMembers = useCallback(
    () =>
      setOpen((before) =>
        before?.roomId === roomId && before.panel.what === "members"
          ? null
          : { roomId, panel: { what: "members" } },
      ),
    [roomId],
  );
  const openRoom = useCallback(
    (id: string, event: string | null) => void navigate(event ? paths.event(id, event) : paths.room(id)),
    [navigate],
  );
  const openMatrix = useOpenMatrix(openRoom);
  const linkTo = useCallback(
    (event: string) => new URL(paths.event(roomId, event), location.href).href,
    [roomId],
  );
  const showsRoom = wide || panel === null;

  return (
    <Box sx={{ flex: 1, minHeight: 0, display: "flex" }}>
      {showsRoom && (
        <Box sx={{ flex: 1, minWidth: 0, display: "flex", flexDirection: "column" }}>
          <RoomHeader
            roomId={roomId}
            onToggleMembers={toggleMembers}
            membersOpen={panel?.what === "members"}
            {...(wide ? {} : { onBack: () => void navigate(paths.chat) })}
          />
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
          label={t("app.region.panel")}
          sx={{
            width: { xs: "100%", md: 360 },
            flex: "none",
            minHeight: 0,
            display: "flex",
            flexDirection: "column",
            borderInlineStart: { md: 1 },
            borderColor: { md: "divider" },
          }}
        >
          {panel.what === "thread" ? (
            <Thread roomId={roomId} threadId={panel.threadId} onClose={close} onOpenMatrix={openMatrix}>
              <Composer roomId={roomId} threadId={panel.threadId} />
            </Thread>
          ) : (
            <>
              <PanelHeader title={t("members.title")} closeLabel={t("members.hide")} onClose={close} />
              <MemberList roomId={roomId} onOpenPerson={(userId) => openMatrix(userId, null)} />
            </>
          )}
        </Region>
      )}
    </Box>
  );
}
