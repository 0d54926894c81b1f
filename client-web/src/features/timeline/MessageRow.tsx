import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { memo, Suspense, useMemo, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { PersonAvatar } from "../../components/PersonAvatar";
import { useMessage, useReactions, type MessageView, type TimelineEvent } from "../../matrix/events";
import { later } from "../../i18n/later";
import { firstLink } from "../../matrix/linkPreview";
import { useClient } from "../../matrix/MatrixProvider";
import { useMedia } from "../../matrix/media";
import { useOffers } from "../../matrix/policy";
import { isEncrypted } from "../../matrix/rooms";
import { useThreadSummary } from "../../matrix/timeline";
import { usePreferences } from "../../preferences/store";
import { useAllowed } from "./allowed";
import type { OpenMatrix } from "./Body";
import { Content } from "./Content";
import { linkBox } from "./linkBox";
import { MessageActions, type MessageAction } from "./MessageActions";
import { Reactions } from "./Reactions";
import { ReplyQuote } from "./ReplyQuote";
import { SendMark, SendTrouble } from "./SendMark";
import { spoken } from "./spoken";
import { Time } from "./Time";
import { clock, complete } from "../../i18n/times";

const DoubtMark = later(() => import("./DoubtMark").then((part) => part.DoubtMark));
const LinkCard = later(() => import("./LinkCard").then((part) => part.LinkCard));

/** What rows ask of the timeline; one object for all of them, always the same. */
export interface RowHandlers {
  readonly act: (
    action: MessageAction,
    event: TimelineEvent,
    message: MessageView,
    anchor: HTMLElement,
  ) => void;
  readonly jump: (eventId: string) => void;
  readonly openThread: ((threadId: string) => void) | null;
  readonly openMatrix: OpenMatrix;
  readonly focused: (key: string) => void;
}

interface Props {
  event: TimelineEvent;
  rowKey: string;
  me: string;
  continued: boolean;
  tabbable: boolean;
  marked: boolean;
  inThread: boolean;
  handlers: RowHandlers;
}

const KEYS: Readonly<Record<string, MessageAction>> = {
  e: "edit",
  r: "reply",
  t: "thread",
  "+": "react",
  m: "more",
  Delete: "delete",
};

/** A message. Drawn again only when the message itself, its reactions, its thread or its marks change. */
export const MessageRow = memo(function MessageRow({
  event,
  rowKey,
  me,
  continued,
  tabbable,
  marked,
  inThread,
  handlers,
}: Props) {
  const { t, i18n } = useTranslation();
  const message = useMessage(event);
  const reactions = useReactions(event);
  const allowed = useAllowed(event, message, inThread);
  const secret = isEncrypted(useClient(), message.roomId);
  const { timestamp_position, letter_shortcuts } = usePreferences();
  const [active, setActive] = useState(false);

  const onKeyDown = (press: KeyboardEvent<HTMLElement>) => {
    const own = press.target === press.currentTarget;
    if (!own) {
      // Out of the links and buttons, back to the message.
      if (press.key === "Escape") {
        press.currentTarget.focus();
        press.stopPropagation();
      }
      return;
    }
    if (press.ctrlKey || press.metaKey || press.altKey) return;
    const action = KEYS[press.key.length === 1 ? press.key.toLowerCase() : press.key];
    if (!action || (press.key.length === 1 && !letter_shortcuts)) return;
    const may = action === "more" || allowed[action];
    if (!may) return;
    press.preventDefault();
    press.stopPropagation();
    handlers.act(action, event, message, press.currentTarget);
  };

  return (
    <Box
      role="article"
      aria-label={spoken(message, reactions, t, i18n.language)}
      aria-roledescription={t("timeline.message")}
      data-event-id={message.eventId}
      data-row={rowKey}
      data-marked={marked || undefined}
      tabIndex={tabbable ? 0 : -1}
      onFocus={() => {
        handlers.focused(rowKey);
        setActive(true);
      }}
      onBlur={(blur) => {
        if (!blur.currentTarget.contains(blur.relatedTarget)) setActive(false);
      }}
      onMouseEnter={() => setActive(true)}
      onMouseLeave={(leave) => {
        if (!leave.currentTarget.contains(document.activeElement)) setActive(false);
      }}
      onKeyDown={onKeyDown}
      sx={(theme) => ({
        position: "relative",
        display: "grid",
        gridTemplateColumns: `${String(Math.max(theme.measures.avatar, 36))}px minmax(0, 1fr)`,
        columnGap: 1.5,
        px: 2,
        py: "3px",
        pt: continued ? "3px" : `${String(theme.measures.messageGap)}px`,
        bgcolor: marked
          ? "surface.mention"
          : message.mentionsMe
            ? "surface.mention"
            : active
              ? "surface.hover"
              : undefined,
        ...(message.mentionsMe && { boxShadow: `inset 3px 0 0 ${theme.palette.primary.main}` }),
        "&:focus-visible": { outline: "2px solid", outlineColor: theme.palette.focus, outlineOffset: "-2px" },
      })}
    >
      {continued ? (
        <Box
          aria-hidden
          title={complete(message.time, i18n.language)}
          sx={{
            typography: "caption",
            fontSize: "0.6875rem",
            color: "text.secondary",
            textAlign: "end",
            pt: "3px",
            visibility: active ? "visible" : "hidden",
            whiteSpace: "nowrap",
            overflow: "hidden",
          }}
        >
          {clock(message.time, i18n.language).replace(/\s?[AP]M$/i, "")}
        </Box>
      ) : (
        <Picture36 message={message} />
      )}
      <Box sx={{ minWidth: 0 }}>
        {!continued && (
          <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, minWidth: 0 }}>
            <Box
              component="button"
              type="button"
              dir="auto"
              tabIndex={active ? 0 : -1}
              onClick={() => handlers.openMatrix(message.sender, null)}
              sx={(theme) => ({
                all: "unset",
                position: "relative",
                minWidth: 0,
                cursor: "pointer",
                fontWeight: 650,
                borderRadius: "4px",
                "@media (pointer: coarse)": {
                  "&::after": { content: '""', position: "absolute", inset: "-11px 0" },
                },
                "&:hover": { textDecoration: "underline", textUnderlineOffset: "0.15em" },
                "&:focus-visible": { outline: "2px solid", outlineColor: theme.palette.focus },
              })}
            >
              <Box
                component="span"
                sx={{
                  display: "block",
                  overflow: "hidden",
                  textOverflow: "ellipsis",
                  whiteSpace: "nowrap",
                }}
              >
                {message.senderName}
              </Box>
            </Box>
            {timestamp_position !== "below" && (
              <Box
                component="span"
                sx={{
                  typography: "caption",
                  color: "text.secondary",
                  whiteSpace: "nowrap",
                  ...(timestamp_position === "right" && { marginInlineStart: "auto" }),
                }}
              >
                <Time time={message.time} />
              </Box>
            )}
          </Box>
        )}
        {message.replyTo && (
          <ReplyQuote roomId={message.roomId} eventId={message.replyTo} onJump={handlers.jump} />
        )}
        <Box sx={{ display: "flex", alignItems: "flex-end", gap: 1 }}>
          <Box
            sx={{
              minWidth: 0,
              flex: 1,
              ...((message.send !== "sent" || message.change !== "sent") && { opacity: 0.75 }),
            }}
            title={timestamp_position === "tooltip" ? complete(message.time, i18n.language) : undefined}
          >
            <Content event={event} message={message} me={me} onOpen={handlers.openMatrix} />
          </Box>
          {secret && message.send === "sent" && message.kind !== "locked" && (
            <Suspense>
              <DoubtMark event={event} active={active} />
            </Suspense>
          )}
          {message.mine &&
            message.kind !== "deleted" &&
            message.send !== "failed" &&
            message.change !== "failed" && <SendMark event={event} message={message} />}
        </Box>
        {timestamp_position === "below" && (
          <Box sx={{ typography: "caption", color: "text.secondary" }}>
            <Time time={message.time} />
          </Box>
        )}
        {(message.kind === "text" || message.kind === "notice") && <Link message={message} />}
        <SendTrouble event={event} message={message} />
        <Reactions event={event} onAdd={(anchor) => handlers.act("react", event, message, anchor)} />
        {!inThread && <ThreadLink event={event} onOpen={handlers.openThread} />}
      </Box>
      {active && message.kind !== "deleted" && message.send === "sent" && (
        <MessageActions
          allowed={allowed}
          onAction={(action, anchor) => handlers.act(action, event, message, anchor)}
        />
      )}
    </Box>
  );
});

function Picture36({ message }: { message: MessageView }) {
  const { url } = useMedia(message.senderAvatar, AVATAR);
  return (
    <Box sx={{ pt: "2px" }}>
      <PersonAvatar name={message.senderName} id={message.sender} src={url ?? undefined} size={36} />
    </Box>
  );
}

const AVATAR = { width: 36, height: 36, crop: true };

/** What the first link of a message leads to, where this is wanted and tells nobody what is encrypted. */
function Link({ message }: { message: MessageView }) {
  const client = useClient();
  const { link_previews } = usePreferences();
  const { previews } = useOffers();
  const url = useMemo(() => firstLink(message.body), [message.body]);
  if (!link_previews || !previews || url === null || isEncrypted(client, message.roomId)) return null;
  return (
    <Suspense fallback={<Box sx={linkBox} />}>
      <LinkCard url={url} />
    </Suspense>
  );
}

function ThreadLink({
  event,
  onOpen,
}: {
  event: TimelineEvent;
  onOpen: ((threadId: string) => void) | null;
}) {
  const { t } = useTranslation();
  const thread = useThreadSummary(event);
  if (!thread || !onOpen) return null;
  return (
    <Button
      size="small"
      onClick={() => onOpen(event.getId()!)}
      sx={{
        mt: 0.5,
        py: 0.25,
        px: 1,
        border: 1,
        borderColor: "divider",
        borderRadius: "8px",
        maxWidth: "100%",
        justifyContent: "flex-start",
        gap: 1,
      }}
    >
      <Box component="span" sx={{ fontWeight: 600, whiteSpace: "nowrap" }}>
        {t("timeline.replies", { count: thread.count })}
      </Box>
      <Box
        component="span"
        sx={{
          color: "text.secondary",
          fontWeight: 400,
          overflow: "hidden",
          textOverflow: "ellipsis",
          whiteSpace: "nowrap",
        }}
      >
        {thread.people.join(", ")}
        {thread.last ? `: ${thread.last.slice(0, 80)}` : ""}
      </Box>
    </Button>
  );
}
