import ArrowBackIcon from "@mui/icons-material/ArrowBack";
import DoorIcon from "@mui/icons-material/DoorFrontOutlined";
import LockIcon from "@mui/icons-material/Lock";
import TagIcon from "@mui/icons-material/Tag";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { tell } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import { Later } from "../../components/Later";
import { PersonAvatar } from "../../components/PersonAvatar";
import { MessageSkeleton } from "../../components/Skeletons";
import { askToJoin, lookAt, type ListedChannel } from "../../matrix/directory";
import { useMedia } from "../../matrix/media";
import { useClient } from "../../matrix/MatrixProvider";
import { setIgnored } from "../../matrix/moderation";
import { removalFrom } from "../../matrix/removal";
import { errcodeOf, reasonOf } from "../../matrix/requests";
import { joinRoom, leaveRoom } from "../../matrix/roomActions";
import { useRoom } from "../../matrix/rooms";
import type { RoomSummary } from "../../matrix/roomSummary";
import { unlessOver } from "../../matrix/unlessOver";
import { ReasonDialog } from "../../shared/ReasonDialog";

interface Props {
  roomId: string;
  /** Away from here: it was turned down, or is not there. */
  onGone: () => void;
  /** Where the list of rooms is another page. */
  onBack?: (() => void) | undefined;
}

/** What stands before a room one is not in: an invitation, a way in, or that there is none. */
export function Door({ roomId, onGone, onBack }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const [seen, setSeen] = useState<ListedChannel | null | undefined>();
  const [failure, setFailure] = useState("");
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);

  useEffect(
    () =>
      unlessOver(lookAt(client, roomId), setSeen, (error) => {
        setSeen(null);
        // An address that is none leads nowhere: the same as one of a room that is not there.
        if (errcodeOf(error) !== "M_INVALID_PARAM") setFailure(reasonOf(error));
      }),
    [client, roomId],
  );

  const removal = room ? null : removalFrom(client, roomId);
  // Known to the server already, and on its way here.
  const waiting = useCalm(!room && (seen === undefined || seen?.standing === "join"));

  const run = (action: () => Promise<unknown>, after?: () => void) => {
    setBusy(true);
    setFailure("");
    action().then(
      () => {
        setBusy(false);
        after?.();
      },
      (error: unknown) => {
        setFailure(reasonOf(error));
        setBusy(false);
      },
    );
  };
  const join = () => run(() => joinRoom(client, roomId));
  const leave = () => run(() => leaveRoom(client, roomId), onGone);

  const frame = (content: ReactNode) => (
    <Box sx={{ flex: 1, minHeight: 0, display: "flex", flexDirection: "column", overflow: "auto" }}>
      {onBack && (
        <Box sx={{ p: 1 }}>
          <IconAction label={t("members.back")} onClick={onBack}>
            <ArrowBackIcon className="pointing" fontSize="small" />
          </IconAction>
        </Box>
      )}
      {content}
    </Box>
  );
  if (waiting)
    return frame(
      <Later>
        <MessageSkeleton />
      </Later>,
    );
  if (!room && !seen && !removal)
    return frame(
      <EmptyState
        level={1}
        icon={<DoorIcon />}
        title={t("app.unknown.title")}
        text={failure || t("app.unknown.text")}
        actions={
          <Button variant="outlined" onClick={onGone}>
            {t("door.back")}
          </Button>
        }
      />,
    );

  const name = room?.name ?? seen?.name ?? removal?.room ?? "";
  const topic = room?.topic || seen?.topic || "";
  const people = seen?.people ?? room?.people ?? 0;
  const rule = seen?.joinRule ?? "private";
  let sentence: string;
  let actions: ReactNode;
  if (room?.invited) {
    sentence = t(`door.invited.${room.kind}`, { name: room.inviter ?? "" });
    const inviterId = room.inviterId;
    actions = (
      <>
        <Button variant="contained" autoFocus loading={busy} onClick={join}>
          {t("rooms.accept")}
        </Button>
        <Button variant="outlined" disabled={busy} onClick={leave}>
          {t("rooms.decline")}
        </Button>
        {inviterId && (
          <Button
            disabled={busy}
            onClick={() =>
              run(async () => {
                await setIgnored(client, inviterId, true);
                await leaveRoom(client, roomId);
              }, onGone)
            }
          >
            {t("door.ignore", { name: room.inviter })}
          </Button>
        )}
      </>
    );
  } else if (room?.waiting) {
    sentence = t("door.waiting");
    actions = (
      <Button variant="outlined" loading={busy} onClick={leave}>
        {t("rooms.takeBack")}
      </Button>
    );
  } else if (removal && (removal.banned || !seen)) {
    sentence = "";
    actions = (
      <Button variant="outlined" onClick={onGone}>
        {t("door.back")}
      </Button>
    );
  } else if (rule === "knock") {
    sentence = t("door.knock");
    actions = (
      <Button variant="contained" autoFocus onClick={() => setAsking(true)}>
        {t("door.ask")}
      </Button>
    );
  } else {
    sentence = t(rule === "public" ? "door.public" : "door.space");
    actions = (
      <Button variant="contained" autoFocus loading={busy} onClick={join}>
        {t("door.join")}
      </Button>
    );
  }
  if (removal) sentence = t(removal.banned ? "door.banned" : "door.removed", { name: removal.by });
  return frame(
    <Box
      sx={{
        m: "auto",
        p: 3,
        width: "100%",
        maxWidth: 480,
        display: "flex",
        flexDirection: "column",
        alignItems: "center",
        textAlign: "center",
        gap: 1,
      }}
    >
      <Sign room={room} seen={seen ?? null} name={name} />
      <Typography variant="h1" dir="auto" sx={{ mt: 1 }}>
        {name}
      </Typography>
      <Typography sx={{ color: "text.secondary", textWrap: "balance" }}>{sentence}</Typography>
      {removal?.reason && (
        <Typography dir="auto" sx={{ textWrap: "balance" }}>
          {t("door.reason", { reason: removal.reason })}
        </Typography>
      )}
      {topic && !removal && (
        <Typography dir="auto" sx={{ mt: 0.5, textWrap: "balance" }}>
          {topic}
        </Typography>
      )}
      {room?.kind !== "direct" && people > 0 && (
        <Typography variant="body2" sx={{ color: "text.secondary" }}>
          {t("rooms.people", { count: people })}
        </Typography>
      )}
      {failure && (
        <Alert severity="error" variant="outlined" sx={{ textAlign: "start" }}>
          {t("common.failed", { reason: failure })}
        </Alert>
      )}
      <Box sx={{ display: "flex", flexWrap: "wrap", justifyContent: "center", gap: 1, mt: 2 }}>{actions}</Box>
      {asking && (
        <ReasonDialog
          title={t("channels.askTitle", { name })}
          text={t("channels.askText")}
          label={t("channels.askLabel")}
          action={t("channels.ask")}
          onClose={() => setAsking(false)}
          onAct={async (reason) => {
            await askToJoin(client, roomId, reason);
            tell(t("channels.asked"));
          }}
        />
      )}
    </Box>,
  );
}

function Sign({ room, seen, name }: { room: RoomSummary | null; seen: ListedChannel | null; name: string }) {
  const channel = room ? room.kind === "channel" : true;
  const { url } = useMedia(room?.avatar ?? seen?.avatar ?? null, SIGN);
  if (!channel || url)
    return (
      <PersonAvatar
        id={room?.partner ?? room?.roomId ?? seen?.roomId ?? ""}
        name={name}
        src={url ?? undefined}
        size={72}
        square={room?.kind !== "direct"}
      />
    );
  const Icon = seen?.joinRule === "public" ? TagIcon : LockIcon;
  return (
    <Box
      aria-hidden
      sx={{
        width: 72,
        height: 72,
        borderRadius: "20px",
        display: "grid",
        placeItems: "center",
        bgcolor: "surface.selected",
        color: "accentText",
      }}
    >
      <Icon sx={{ fontSize: 34 }} />
    </Box>
  );
}

const SIGN = { width: 72, height: 72, crop: true };
