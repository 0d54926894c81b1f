import Box from "@mui/material/Box";
import { Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { later } from "../../i18n/later";
import { complete } from "../../i18n/times";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { plainText } from "../../matrix/plainText";
import { FileCard, Picture, Player } from "./Attachment";
import { Body, endMark, type OpenMatrix } from "./Body";
import { pollBox } from "./pollBox";

const Poll = later(() => import("./Poll").then((part) => part.Poll));
const Locked = later(() => import("./Locked").then((part) => part.Locked));

interface Props {
  event: TimelineEvent;
  message: MessageView;
  me: string;
  onOpen: OpenMatrix;
}

/** What a message holds, by its kind. */
export function Content({ event, message, me, onOpen }: Props) {
  const { t, i18n } = useTranslation();
  const { language } = i18n;
  const { edited } = message;
  const mark = useMemo(
    () =>
      edited === null
        ? null
        : {
            text: t("timeline.edited"),
            title: t("timeline.editedAt", { time: complete(edited, language) }),
          },
    [edited, language, t],
  );
  const body = <Body body={message.body} html={message.html} me={me} onOpen={onOpen} mark={mark} />;
  switch (message.kind) {
    case "deleted":
      return (
        <Box dir="auto" sx={{ color: "text.secondary", fontStyle: "italic", whiteSpace: "pre-line" }}>
          {plainText(message, t)}
        </Box>
      );
    case "locked":
      return (
        <Suspense fallback={<Box>&nbsp;</Box>}>
          <Locked event={event} lock={message.lock ?? "waiting"} />
        </Suspense>
      );
    case "verification":
      return <Box sx={{ color: "text.secondary" }}>{plainText(message, t)}</Box>;
    case "unknown":
      return <Box sx={{ color: "text.secondary", fontStyle: "italic" }}>{t("timeline.unknown")}</Box>;
    case "poll":
      return (
        <Suspense fallback={<Asked message={message} />}>
          <Poll event={event} />
        </Suspense>
      );
    case "image":
    case "video":
    case "audio":
    case "file":
      return (
        <>
          {message.media && message.kind === "image" && <Picture media={message.media} />}
          {message.media && (message.kind === "video" || message.kind === "audio") && (
            <Player media={message.media} kind={message.kind} />
          )}
          {message.media && message.kind === "file" && <FileCard media={message.media} />}
          {message.body
            ? body
            : mark && (
                <Box component="span" title={mark.title} sx={endMark}>
                  {mark.text}
                </Box>
              )}
        </>
      );
    case "emote":
      return (
        <Box sx={{ display: "flex", gap: 0.5, fontStyle: "italic" }}>
          <span>* {message.senderName}</span>
          {body}
        </Box>
      );
    case "notice":
      return <Box sx={{ color: "text.secondary" }}>{body}</Box>;
    case "text":
      return body;
  }
}

/** A poll before it is loaded. */
function Asked({ message }: { message: MessageView }) {
  return (
    <Box sx={{ ...pollBox, minHeight: 108 + message.answers.length * 40 }}>
      <Box dir="auto" sx={{ fontWeight: 600, mt: 2.5 }}>
        {message.body}
      </Box>
    </Box>
  );
}
