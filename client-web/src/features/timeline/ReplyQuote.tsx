import ReplyIcon from "@mui/icons-material/Reply";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMessage, type TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { fetchEvent, findEvent } from "../../matrix/timeline";

interface Props {
  roomId: string;
  eventId: string;
  onJump: (eventId: string) => void;
}

/** The message that is answered, in one line above the answer. Its height is the same before and after it is there. */
export function ReplyQuote({ roomId, eventId, onJump }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [event, setEvent] = useState<TimelineEvent | null>(() => findEvent(client, roomId, eventId));
  const [gone, setGone] = useState(false);
  useEffect(() => {
    if (event) return;
    let here = true;
    void fetchEvent(client, roomId, eventId).then((found) => {
      if (!here) return;
      if (found) setEvent(found);
      else setGone(true);
    });
    return () => {
      here = false;
    };
  }, [client, event, eventId, roomId]);
  return (
    <ButtonBase
      onClick={() => onJump(eventId)}
      sx={{
        display: "flex",
        justifyContent: "flex-start",
        gap: 0.75,
        maxWidth: "100%",
        height: 24,
        color: "text.secondary",
        typography: "body2",
        borderRadius: "4px",
        "&:hover": { color: "text.primary" },
        "&:focus-visible": { outline: "2px solid", outlineColor: "focus" },
      }}
    >
      <ReplyIcon aria-hidden sx={{ fontSize: 16, flex: "none", transform: "scaleY(-1)" }} />
      {event ? (
        <Line event={event} />
      ) : (
        <Box component="span">{gone ? t("timeline.replyGone") : "\u00a0"}</Box>
      )}
    </ButtonBase>
  );
}

function Line({ event }: { event: TimelineEvent }) {
  const { t } = useTranslation();
  const message = useMessage(event);
  const text = message.kind === "deleted" ? t("timeline.deleted") : (message.media?.name ?? message.body);
  return (
    <Box
      component="span"
      dir="auto"
      sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
    >
      <Box component="span" sx={{ fontWeight: 600 }}>
        {message.senderName}
      </Box>{" "}
      {text.slice(0, 200)}
    </Box>
  );
}
