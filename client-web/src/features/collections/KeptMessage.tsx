import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { MessageCard } from "../../components/MessageCard";
import { useMessage, type TimelineEvent } from "../../matrix/events";
import { useMedia } from "../../matrix/media";
import { plainText } from "../../matrix/plainText";
import { useEventAt } from "../../matrix/timeline";

interface Props {
  roomId: string;
  eventId: string;
  where?: ReactNode;
  onOpen: () => void;
  actions?: ReactNode;
}

const AVATAR = { width: 32, height: 32, crop: true };

/** A message that is kept somewhere, fetched if it is not at hand. */
export function KeptMessage({ roomId, eventId, where, onOpen, actions }: Props) {
  const { t } = useTranslation();
  const { event, gone } = useEventAt(roomId, eventId);
  if (!event)
    return (
      <Box
        component="li"
        sx={{ display: "flex", alignItems: "center", minHeight: 60, px: 1.25, color: "text.secondary" }}
      >
        <Box sx={{ flex: 1, typography: "body2" }}>{gone ? t("timeline.replyGone") : "\u00a0"}</Box>
        {gone && actions}
      </Box>
    );
  return <Found event={event} where={where} onOpen={onOpen} actions={actions} />;
}

function Found({
  event,
  where,
  onOpen,
  actions,
}: Omit<Props, "roomId" | "eventId"> & { event: TimelineEvent }) {
  const { t } = useTranslation();
  const message = useMessage(event);
  const { url } = useMedia(message.senderAvatar, AVATAR);
  const text = plainText(message, t);
  return (
    <MessageCard
      sender={message.sender}
      name={message.senderName}
      picture={url ?? undefined}
      time={message.time}
      text={text}
      where={where}
      label={t("collections.jump", { name: message.senderName, text: text.slice(0, 120) })}
      onOpen={onOpen}
      actions={actions}
    />
  );
}
