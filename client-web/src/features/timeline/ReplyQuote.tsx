import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import { useTranslation } from "react-i18next";

import { useMessage, type TimelineEvent } from "../../matrix/events";
import { plainText } from "../../matrix/plainText";
import { useEventAt } from "../../matrix/timeline";

interface Props {
  roomId: string;
  eventId: string;
  onJump: (eventId: string) => void;
}

/** The message that is answered, in one line above the answer. Its height is the same before and after it is there. */
export function ReplyQuote({ roomId, eventId, onJump }: Props) {
  const { t } = useTranslation();
  const { event, gone } = useEventAt(roomId, eventId);
  return (
    <ButtonBase
      onClick={() => onJump(eventId)}
      sx={{
        display: "flex",
        justifyContent: "flex-start",
        gap: 0.75,
        maxWidth: "100%",

        height: 24,
        // As high as a finger, and so two lines of it.
        "@media (pointer: coarse)": { height: 44 },
        textAlign: "start",
        color: "text.secondary",
        typography: "body2",
        borderRadius: "4px",
        "&:hover": { color: "text.primary" },
        "&:focus-visible": { outline: "2px solid", outlineColor: "focus" },
      }}
    >
      <Box
        aria-hidden
        sx={{
          flex: "none",
          width: 3,
          height: 16,
          "@media (pointer: coarse)": { height: 36 },
          borderRadius: "2px",
          bgcolor: "border.control",
        }}
      />
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
  const text = plainText(message, t);
  return (
    <Box
      component="span"
      dir="auto"
      sx={{
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
        "@media (pointer: coarse)": {
          display: "-webkit-box",
          WebkitBoxOrient: "vertical",
          WebkitLineClamp: 2,
          whiteSpace: "normal",
        },
      }}
    >
      <Box component="span" sx={{ fontWeight: 600 }}>
        {message.senderName}
      </Box>{" "}
      {text.slice(0, 200)}
    </Box>
  );
}
