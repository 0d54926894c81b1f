import CloseIcon from "@mui/icons-material/Close";
import EditIcon from "@mui/icons-material/EditOutlined";
import ReplyIcon from "@mui/icons-material/Reply";
import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import type { Draft } from "../../matrix/drafts";
import { useMessage, type TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { findEvent } from "../../matrix/timeline";

/** Above the field: whom the message answers, or that it replaces one. */
export function Target({ roomId, draft, onLeave }: { roomId: string; draft: Draft; onLeave: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  if (!draft.replyTo && !draft.editing) return null;
  const Mark = draft.editing ? EditIcon : ReplyIcon;
  const answered = draft.replyTo ? findEvent(client, roomId, draft.replyTo) : null;
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        paddingInlineStart: 1.5,
        paddingInlineEnd: 0.5,
        pt: 0.5,
        typography: "body2",
        color: "text.secondary",
        borderBottom: 1,
        borderColor: "divider",
        pb: 0.5,
      }}
    >
      <Mark
        aria-hidden
        className={draft.editing ? "" : "pointing"}
        sx={{ fontSize: 17, color: "accentText" }}
      />
      <Box sx={{ flex: 1, minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
        {draft.editing ? (
          t("composer.editing")
        ) : answered ? (
          <Answered event={answered} />
        ) : (
          t("composer.replyingTo", { name: "" })
        )}
      </Box>
      <IconAction label={t("composer.cancel")} keys="Esc" onClick={onLeave} sx={{ width: 28, height: 28 }}>
        <CloseIcon sx={{ fontSize: 16 }} />
      </IconAction>
    </Box>
  );
}

function Answered({ event }: { event: TimelineEvent }) {
  const { t } = useTranslation();
  const message = useMessage(event);
  return (
    <span>
      <Box component="span" sx={{ fontWeight: 600, color: "text.primary" }}>
        {t("composer.replyingTo", { name: message.senderName })}
      </Box>{" "}
      {(message.media?.name ?? message.body).slice(0, 160)}
    </span>
  );
}
