import LockIcon from "@mui/icons-material/LockOutlined";
import PersonIcon from "@mui/icons-material/PersonOutlineOutlined";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../components/Announcer";
import { useStanding } from "../matrix/channelList";
import { askToJoin, type ListedChannel } from "../matrix/directory";
import { useClient } from "../matrix/MatrixProvider";
import { reasonOf } from "../matrix/requests";
import { joinRoom, leaveRoom } from "../matrix/roomActions";
import { ReasonDialog } from "./ReasonDialog";

/** A channel one could be in: what it is, and the way in. */
export function ChannelRow({
  channel,
  onOpen,
}: {
  channel: ListedChannel;
  onOpen: (roomId: string) => void;
}) {
  const { t } = useTranslation();
  const client = useClient();
  const standing = useStanding(channel.roomId);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState("");
  const nameId = useId();
  const open = channel.joinRule === "public";
  const Icon = open ? TagIcon : LockIcon;
  const run = (action: () => Promise<void>) => {
    setBusy(true);
    setFailure("");
    action()
      .catch((error: unknown) => setFailure(reasonOf(error)))
      .finally(() => setBusy(false));
  };
  const join = () =>
    run(async () => {
      onOpen(await joinRoom(client, channel.roomId));
    });
  return (
    <Box
      component="li"
      aria-labelledby={nameId}
      sx={{
        display: "flex",
        alignItems: "flex-start",
        gap: 1.25,
        px: 1,
        py: 1,
        borderRadius: "8px",
        "&:hover": { bgcolor: "surface.hover" },
      }}
    >
      <Icon
        aria-hidden
        sx={{ fontSize: open ? 20 : 18, mt: "3px", mx: open ? 0 : "1px", color: "text.secondary" }}
      />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography id={nameId} dir="auto" noWrap sx={{ fontWeight: 600 }}>
          {channel.name}
        </Typography>
        {channel.topic && (
          <Typography
            variant="body2"
            dir="auto"
            sx={{
              color: "text.secondary",
              display: "-webkit-box",
              WebkitLineClamp: 2,
              WebkitBoxOrient: "vertical",
              overflow: "hidden",
            }}
          >
            {channel.topic}
          </Typography>
        )}
        <Box
          sx={{
            display: "flex",
            flexWrap: "wrap",
            alignItems: "center",
            columnGap: 0.5,
            typography: "caption",
            color: "text.secondary",
            mt: 0.25,
          }}
        >
          <PersonIcon aria-hidden sx={{ fontSize: 14 }} />
          <Box component="span" sx={{ whiteSpace: "nowrap" }}>
            {t("rooms.people", { count: channel.people })}
          </Box>
          {!open && <span>· {t(`channels.rule.${ruleOf(channel)}`)}</span>}
        </Box>
        {failure && (
          <Typography role="alert" variant="body2" sx={{ color: "dangerText" }}>
            {t("common.failed", { reason: failure })}
          </Typography>
        )}
      </Box>
      {standing === "join" ? (
        <Button size="small" aria-describedby={nameId} onClick={() => onOpen(channel.roomId)}>
          {t("channels.open")}
        </Button>
      ) : standing === "knock" ? (
        <Button
          size="small"
          loading={busy}
          aria-describedby={nameId}
          onClick={() => run(() => leaveRoom(client, channel.roomId))}
        >
          {t("channels.takeBack")}
        </Button>
      ) : ruleOf(channel) === "knock" && standing !== "invite" ? (
        <Button size="small" variant="outlined" aria-describedby={nameId} onClick={() => setAsking(true)}>
          {t("channels.ask")}
        </Button>
      ) : (
        <Button size="small" variant="outlined" loading={busy} aria-describedby={nameId} onClick={join}>
          {t("channels.join")}
        </Button>
      )}
      {asking && (
        <ReasonDialog
          title={t("channels.askTitle", { name: channel.name })}
          text={t("channels.askText")}
          label={t("channels.askLabel")}
          action={t("channels.ask")}
          onClose={() => setAsking(false)}
          onAct={async (reason) => {
            await askToJoin(client, channel.roomId, reason);
            tell(t("channels.asked"));
          }}
        />
      )}
    </Box>
  );
}

function ruleOf({ joinRule }: ListedChannel): "public" | "knock" | "space" | "private" {
  if (joinRule === "knock") return "knock";
  if (joinRule === "restricted" || joinRule === "knock_restricted") return "space";
  return joinRule === "public" ? "public" : "private";
}
