import Box from "@mui/material/Box";
import Divider from "@mui/material/Divider";
import MenuItem from "@mui/material/MenuItem";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { Keys } from "../../components/Keys";
import { LaterMenu } from "../../components/LaterMenu";
import { later } from "../../i18n/later";
import { useReactions, type MessageView, type TimelineEvent } from "../../matrix/events";
import { canForward } from "../../matrix/forward";
import { useClient } from "../../matrix/MatrixProvider";
import { setPin, usePinned } from "../../matrix/pins";
import { useAllowed } from "./allowed";
import type { MessageAction } from "./MessageActions";
import { plainText } from "../../matrix/plainText";
import { setSaved, useSaved } from "../../matrix/saved";
import { usePowers } from "../../matrix/timeline";
import { usePreferences } from "../../preferences/store";
import { copy } from "../../shared/copy";

const ForwardDialog = later(() => import("./ForwardDialog").then((part) => part.ForwardDialog));
const HistoryDialog = later(() => import("./HistoryDialog").then((part) => part.HistoryDialog));
const ReadersDialog = later(() => import("./ReadersDialog").then((part) => part.ReadersDialog));
const ReportDialog = later(() => import("./ReportDialog").then((part) => part.ReportDialog));
const ReactionsDialog = later(() => import("./ReactionsDialog").then((part) => part.ReactionsDialog));

interface Props {
  event: TimelineEvent;
  message: MessageView;
  anchor: HTMLElement;
  inThread: boolean;
  link: string | null;
  onClose: () => void;
  onAction: (action: MessageAction) => void;
}

const atTheEnd = { vertical: "top", horizontal: "right" } as const;
/** Keys are of use to who has some. */
const keysOnly = { display: "none", "@media (pointer: fine)": { display: "inline-flex" } } as const;

/** All that can be done with a message. */
export function MessageMenu({ event, message, anchor, inThread, link, onClose, onAction }: Props) {
  const { t } = useTranslation();
  const allowed = useAllowed(event, message, inThread);
  const { letter_shortcuts } = usePreferences();
  const item = (action: MessageAction, label: string, may: boolean, keys: string) =>
    may && (
      <MenuItem
        key={action}
        onClick={() => {
          onClose();
          onAction(action);
        }}
        sx={{ gap: 3, justifyContent: "space-between", ...(action === "delete" && { color: "dangerText" }) }}
      >
        {label}
        {(letter_shortcuts || keys.length > 1) && (
          <Box component="span" aria-hidden sx={keysOnly}>
            <Keys keys={keys} />
          </Box>
        )}
      </MenuItem>
    );
  const client = useClient();
  const pinned = usePinned(message.roomId).includes(message.eventId);
  const saved = useSaved().some((one) => one.event_id === message.eventId);
  const { pin } = usePowers(message.roomId);
  const reactions = useReactions(event);
  /** What was chosen in the menu and stands in its place. */
  const [dialog, setDialog] = useState<"forward" | "history" | "reactions" | "readers" | "report" | null>(
    null,
  );
  const there = message.send === "sent" && message.kind !== "deleted";
  const change = (doing: Promise<void>, done: string) => {
    onClose();
    doing.then(
      () => tell(done),
      (reason: unknown) =>
        alert(t("common.failed", { reason: reason instanceof Error ? reason.message : String(reason) })),
    );
  };
  const take = (text: string) => {
    onClose();
    void copy(text, t("timeline.copied"), t);
  };
  if (dialog !== null)
    return (
      <Suspense>
        {dialog === "forward" && <ForwardDialog event={event} message={message} onClose={onClose} />}
        {dialog === "history" && <HistoryDialog event={event} onClose={onClose} />}
        {dialog === "readers" && <ReadersDialog event={event} onClose={onClose} />}
        {dialog === "report" && <ReportDialog event={event} onClose={onClose} />}
        {dialog === "reactions" && <ReactionsDialog event={event} onClose={onClose} />}
      </Suspense>
    );
  // From the keyboard it belongs to the whole message: it stands where the buttons are, and leaves the text to be read.
  const whole = anchor.dataset["row"] !== undefined;
  return (
    <LaterMenu
      open
      anchorEl={anchor}
      onClose={onClose}
      {...(whole && { anchorOrigin: atTheEnd, transformOrigin: atTheEnd })}
    >
      {item("react", t("timeline.react"), allowed.react, "+")}
      {item("reply", t("timeline.reply"), allowed.reply, "R")}
      {item("thread", t("timeline.inThread"), allowed.thread, "T")}
      {item("edit", t("timeline.edit"), allowed.edit, "E")}
      {message.kind !== "deleted" && (
        <MenuItem onClick={() => take(message.body || plainText(message, t))}>
          {t("timeline.copyText")}
        </MenuItem>
      )}
      {there && canForward(event) && (
        <MenuItem onClick={() => setDialog("forward")}>{t("timeline.forward")}</MenuItem>
      )}
      {there && (
        <MenuItem
          onClick={() =>
            change(setSaved(client, message, !saved), t(saved ? "timeline.unsaved" : "timeline.savedNow"))
          }
        >
          {t(saved ? "timeline.unsave" : "timeline.save")}
        </MenuItem>
      )}
      {there && pin && (
        <MenuItem
          onClick={() =>
            change(
              setPin(client, message.roomId, message.eventId, !pinned),
              t(pinned ? "timeline.unpinned" : "timeline.pinnedNow"),
            )
          }
        >
          {t(pinned ? "timeline.unpin" : "timeline.pin")}
        </MenuItem>
      )}
      {there && message.edited !== null && (
        <MenuItem onClick={() => setDialog("history")}>{t("timeline.history")}</MenuItem>
      )}
      {there && reactions.length > 0 && (
        <MenuItem onClick={() => setDialog("reactions")}>{t("timeline.whoReacted")}</MenuItem>
      )}
      {there && <MenuItem onClick={() => setDialog("readers")}>{t("timeline.readers")}</MenuItem>}
      {link && <MenuItem onClick={() => take(link)}>{t("timeline.copyLink")}</MenuItem>}
      {(allowed.delete || !message.mine) && <Divider />}
      {there && !message.mine && (
        <MenuItem onClick={() => setDialog("report")}>{t("timeline.report")}</MenuItem>
      )}
      {item("delete", t("timeline.delete"), allowed.delete, t("app.keyNames.Del"))}
    </LaterMenu>
  );
}
