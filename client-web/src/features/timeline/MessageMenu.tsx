import Divider from "@mui/material/Divider";
import ListItemText from "@mui/material/ListItemText";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { useAllowed } from "./allowed";
import type { MessageAction } from "./MessageActions";
import { plainText } from "./spoken";

interface Props {
  event: TimelineEvent;
  message: MessageView;
  anchor: HTMLElement;
  inThread: boolean;
  link: string | null;
  onClose: () => void;
  onAction: (action: MessageAction) => void;
}

/** All that can be done with a message. */
export function MessageMenu({ event, message, anchor, inThread, link, onClose, onAction }: Props) {
  const { t } = useTranslation();
  const allowed = useAllowed(event, message, inThread);
  const item = (action: MessageAction, label: string, may: boolean) =>
    may && (
      <MenuItem
        key={action}
        onClick={() => {
          onClose();
          onAction(action);
        }}
      >
        <ListItemText>{label}</ListItemText>
      </MenuItem>
    );
  const copy = (text: string) => {
    onClose();
    void navigator.clipboard.writeText(text).then(() => announce(t("timeline.copied")));
  };
  return (
    <Menu open anchorEl={anchor} onClose={onClose}>
      {item("react", t("timeline.react"), allowed.react)}
      {item("reply", t("timeline.reply"), allowed.reply)}
      {item("thread", t("timeline.inThread"), allowed.thread)}
      {item("edit", t("timeline.edit"), allowed.edit)}
      {message.kind !== "deleted" && (
        <MenuItem onClick={() => copy(message.body || plainText(message, t))}>
          {t("timeline.copyText")}
        </MenuItem>
      )}
      {link && <MenuItem onClick={() => copy(link)}>{t("timeline.copyLink")}</MenuItem>}
      {allowed.delete && <Divider />}
      {item("delete", t("timeline.delete"), allowed.delete)}
    </Menu>
  );
}
