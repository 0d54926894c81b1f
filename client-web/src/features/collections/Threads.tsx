import Forum from "@mui/icons-material/ForumOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { CountBadge } from "../../components/CountBadge";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { MessageCard } from "../../components/MessageCard";
import { PanelHeader } from "../../components/PanelHeader";
import { ListSkeleton } from "../../components/Skeletons";
import { absolute } from "../../i18n/times";
import { useMessage } from "../../matrix/events";
import { useMedia } from "../../matrix/media";
import { plainText } from "../../matrix/plainText";
import { type ListedThread, useThreads } from "../../matrix/threads";

interface Props {
  roomId: string;
  onOpen: (threadId: string) => void;
  onClose: () => void;
}

const AVATAR = { width: 32, height: 32, crop: true };

/** The threads of a conversation, those answered last first. */
export function Threads({ roomId, onOpen, onClose }: Props) {
  const { t } = useTranslation();
  const [mine, setMine] = useState(false);
  const { status, threads, next, more, reload } = useThreads(roomId, mine);
  const loading = useCalm(status === "loading");
  return (
    <>
      <PanelHeader title={t("collections.threads")} closeLabel={t("collections.close")} onClose={onClose} />
      <ToggleButtonGroup
        exclusive
        size="small"
        fullWidth
        value={mine}
        onChange={(_event, value: boolean | null) => {
          if (value !== null) setMine(value);
        }}
        aria-label={t("collections.whichThreads")}
        sx={{ p: 1, flex: "none" }}
      >
        <ToggleButton value={false}>{t("collections.allThreads")}</ToggleButton>
        <ToggleButton value>{t("collections.myThreads")}</ToggleButton>
      </ToggleButtonGroup>
      {status === "failed" && threads.length === 0 ? (
        <EmptyState
          icon={<Forum />}
          title={t("collections.threadsFailed")}
          actions={
            <Button variant="contained" onClick={reload}>
              {t("collections.again")}
            </Button>
          }
        />
      ) : loading ? (
        <Later>
          <ListSkeleton rows={5} height={72} />
        </Later>
      ) : threads.length === 0 ? (
        <EmptyState
          icon={<Forum />}
          title={t("collections.noThreads")}
          text={t("collections.noThreadsText")}
        />
      ) : (
        <Box
          component="ul"
          aria-label={t("collections.threads")}
          sx={{ listStyle: "none", m: 0, p: 0.75, pt: 0, flex: 1, minHeight: 0, overflowY: "auto" }}
        >
          {threads.map((thread) => (
            <ThreadCard key={thread.id} thread={thread} onOpen={onOpen} />
          ))}
          {next !== null && (
            <Box component="li" sx={{ textAlign: "center", py: 1 }}>
              <Button onClick={() => void more()}>{t("collections.more")}</Button>
            </Box>
          )}
        </Box>
      )}
    </>
  );
}

function ThreadCard({ thread, onOpen }: { thread: ListedThread; onOpen: (threadId: string) => void }) {
  const { t, i18n } = useTranslation();
  const message = useMessage(thread.root);
  const { url } = useMedia(message.senderAvatar, AVATAR);
  const text = plainText(message, t);
  const { latest, unread, mentions } = thread;
  const unreadText = t("rooms.unread", { count: unread });
  return (
    <MessageCard
      sender={message.sender}
      name={message.senderName}
      picture={url ?? undefined}
      time={message.time}
      text={text}
      label={[
        t("collections.openThread", { name: message.senderName, text: text.slice(0, 120) }),
        t("timeline.replies", { count: thread.count }),
        unread > 0 ? unreadText : "",
      ]
        .filter(Boolean)
        .join(", ")}
      onOpen={() => onOpen(thread.id)}
      below={
        <Box sx={{ display: "flex", alignItems: "center", gap: 1, mt: 0.5, typography: "caption" }}>
          <Box component="span" sx={{ fontWeight: 650, color: "accentText", flex: "none" }}>
            {t("timeline.replies", { count: thread.count })}
          </Box>
          {latest && (
            <Box
              component="span"
              dir="auto"
              sx={{
                color: "text.secondary",
                fontWeight: unread > 0 ? 650 : undefined,
                overflow: "hidden",
                textOverflow: "ellipsis",
                whiteSpace: "nowrap",
              }}
            >
              {latest.name}: {latest.text} · {absolute(latest.time, i18n.language)}
            </Box>
          )}
          <CountBadge count={unread} loud={mentions > 0} label={unreadText} />
        </Box>
      }
    />
  );
}
