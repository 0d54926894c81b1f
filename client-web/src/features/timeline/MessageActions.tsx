import AddReactionIcon from "@mui/icons-material/AddReactionOutlined";
import DeleteIcon from "@mui/icons-material/DeleteOutlined";
import EditIcon from "@mui/icons-material/EditOutlined";
import ForumIcon from "@mui/icons-material/ForumOutlined";
import MoreIcon from "@mui/icons-material/MoreHoriz";
import ReplyIcon from "@mui/icons-material/Reply";
import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import type { Allowed } from "./allowed";

/** What can be done with a message. */
export type MessageAction = "reply" | "thread" | "edit" | "delete" | "react" | "more";

interface Props {
  allowed: Allowed;
  onAction: (action: MessageAction, anchor: HTMLElement) => void;
}

/** The buttons at the upper edge of the message under the pointer or with the focus. */
export function MessageActions({ allowed, onAction }: Props) {
  const { t } = useTranslation();
  const button = (action: MessageAction, label: string, icon: React.ReactNode, keys?: string) => (
    <IconAction
      key={action}
      label={label}
      {...(keys ? { keys } : {})}
      onClick={(press) => onAction(action, press.currentTarget)}
      sx={{ width: 32, height: 32, borderRadius: "6px" }}
    >
      {icon}
    </IconAction>
  );
  return (
    <Box sx={track}>
      <Paper
        role="toolbar"
        aria-label={t("timeline.actions")}
        elevation={0}
        sx={{
          position: "sticky",
          top: 4,
          display: "flex",
          p: "2px",
          border: 1,
          borderColor: "divider",
          borderRadius: "8px",
          bgcolor: "surface.raised",
          pointerEvents: "auto",
        }}
      >
        {allowed.react &&
          button("react", t("timeline.react"), <AddReactionIcon sx={{ fontSize: 18 }} />, "+")}
        {allowed.reply &&
          button("reply", t("timeline.reply"), <ReplyIcon className="pointing" sx={{ fontSize: 18 }} />, "R")}
        {allowed.thread && button("thread", t("timeline.inThread"), <ForumIcon sx={{ fontSize: 18 }} />, "T")}
        {allowed.edit && button("edit", t("timeline.edit"), <EditIcon sx={{ fontSize: 18 }} />, "E")}
        {allowed.delete &&
          button("delete", t("timeline.delete"), <DeleteIcon sx={{ fontSize: 18 }} />, t("app.keyNames.Del"))}
        {button("more", t("timeline.more"), <MoreIcon sx={{ fontSize: 18 }} />, "M")}
      </Paper>
    </Box>
  );
}

/** Where the buttons may be: at the upper edge of the message or, where that is out of sight, of what is seen of it. */
const track = {
  position: "absolute",
  top: -14,
  bottom: 0,
  insetInlineEnd: 16,
  zIndex: 2,
  display: "flex",
  alignItems: "flex-start",
  pointerEvents: "none",
} as const;
