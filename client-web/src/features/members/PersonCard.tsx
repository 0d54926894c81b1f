import AlternateEmailIcon from "@mui/icons-material/AlternateEmail";
import ChatIcon from "@mui/icons-material/ChatBubbleOutlineOutlined";
import CopyIcon from "@mui/icons-material/ContentCopy";
import FlagIcon from "@mui/icons-material/FlagOutlined";
import HideIcon from "@mui/icons-material/VisibilityOffOutlined";
import ShowIcon from "@mui/icons-material/VisibilityOutlined";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import Divider from "@mui/material/Divider";
import Typography from "@mui/material/Typography";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { PresenceDot } from "../../components/PresenceDot";
import { later } from "../../i18n/later";
import { openDirect } from "../../matrix/directory";
import { draftsOf, placeOf } from "../../matrix/drafts";
import { useEncryptionState } from "../../matrix/encryption/hooks";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { reportPerson, setIgnored } from "../../matrix/moderation";
import { usePersonCard } from "../../matrix/personCard";
import { usePresence } from "../../matrix/presence";
import { reasonOf } from "../../matrix/requests";
import { usePowers } from "../../matrix/timeline";
import { Face } from "../../shared/Face";
import { ReasonDialog } from "../../shared/ReasonDialog";
import { copy } from "../../shared/copy";
import { Line } from "./Line";
import { Standing } from "./Standing";

const Sureness = later(() => import("./Sureness").then((part) => part.Sureness));

interface Props {
  userId: string;
  /** The room it was opened from. */
  roomId: string;
  onOpenRoom: (roomId: string) => void;
  onEditProfile: () => void;
  /** The conversation shall have the focus, to write on. */
  onWrite: () => void;
}

/** Somebody: who they are, how to reach them, and what one can do about them. */
export function PersonCard({ userId, roomId, onOpenRoom, onEditProfile, onWrite }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const me = useUserId();
  const person = usePersonCard(userId, roomId);
  const powers = usePowers(roomId);
  // Who does not use encryption is not bothered with it, and loads none for a card.
  const keys = useEncryptionState();
  const [busy, setBusy] = useState(false);
  const [reporting, setReporting] = useState(false);
  const { name } = person;
  const write = () => {
    setBusy(true);
    openDirect(client, userId)
      .then(onOpenRoom, (error: unknown) => alert(t("common.failed", { reason: reasonOf(error) })))
      .finally(() => setBusy(false));
  };
  const mention = () => {
    const drafts = draftsOf(me);
    const place = placeOf(roomId);
    const { text } = drafts.get(place);
    drafts.set(place, { text: `${text}${text === "" || /\s$/.test(text) ? "" : " "}@${name} ` });
    onWrite();
  };
  const ignore = () => {
    const done = t(person.ignored ? "people.done.unignore" : "people.done.ignore", { name });
    setIgnored(client, userId, !person.ignored).then(
      () => tell(done),
      (error: unknown) => alert(t("common.failed", { reason: reasonOf(error) })),
    );
  };
  return (
    <Box
      sx={{ flex: 1, minHeight: 0, overflow: "auto", p: 2, display: "flex", flexDirection: "column", gap: 2 }}
    >
      <Box
        sx={{ display: "flex", flexDirection: "column", alignItems: "center", textAlign: "center", pt: 1 }}
      >
        <Face userId={userId} name={name} avatar={person.avatar} size={88} presence={false} />
        <Typography variant="h1" component="h3" dir="auto" sx={{ mt: 1.5, fontSize: "1.25rem" }}>
          {name}
        </Typography>
        <ButtonBase
          onClick={() => void copy(userId, t("people.copied"), t)}
          data-tip={t("people.copyId")}
          aria-label={`${userId}: ${t("people.copyId")}`}
          sx={{
            minHeight: 28,
            "@media (pointer: coarse)": { minHeight: 44 },
            px: 1,
            gap: 0.75,
            borderRadius: "6px",
            color: "text.secondary",
            typography: "body2",
            "&:hover": { bgcolor: "surface.hover", color: "text.primary" },
          }}
        >
          {userId}
          <CopyIcon aria-hidden sx={{ fontSize: 14 }} />
        </ButtonBase>
        <Availability userId={userId} />
      </Box>
      {person.ignored && (
        <Alert severity="info" variant="outlined" icon={<HideIcon fontSize="small" />}>
          {t("people.ignored")}
        </Alert>
      )}
      {userId === me ? (
        <Button variant="outlined" onClick={onEditProfile}>
          {t("people.editProfile")}
        </Button>
      ) : (
        <Box sx={{ display: "flex", gap: 1 }}>
          <Button fullWidth variant="contained" startIcon={<ChatIcon />} loading={busy} onClick={write}>
            {t("people.message")}
          </Button>
          {powers.post && person.member?.standing === "join" && (
            <Button fullWidth variant="outlined" startIcon={<AlternateEmailIcon />} onClick={mention}>
              {t("people.mention")}
            </Button>
          )}
        </Box>
      )}
      {keys === "here" && userId !== me && (
        <Suspense>
          <Sureness userId={userId} name={name} />
        </Suspense>
      )}
      {person.member && <Standing roomId={roomId} member={person.member} me={userId === me} />}
      {userId !== me && (
        <>
          <Divider />
          <Box sx={{ display: "flex", flexDirection: "column", mx: -1 }}>
            <Line
              icon={person.ignored ? <ShowIcon /> : <HideIcon />}
              onClick={ignore}
              text={person.ignored ? "" : t("people.ignoreText")}
            >
              {t(person.ignored ? "people.unignore" : "people.ignore")}
            </Line>
            <Line icon={<FlagIcon />} onClick={() => setReporting(true)}>
              {t("people.report")}
            </Line>
          </Box>
        </>
      )}
      {reporting && (
        <ReasonDialog
          title={t("people.reportTitle", { name })}
          text={t("people.reportText", { name })}
          label={t("people.reportLabel")}
          action={t("people.reportAction")}
          required
          onClose={() => setReporting(false)}
          onAct={async (reason) => {
            await reportPerson(client, userId, reason);
            tell(t("people.done.report"));
          }}
        />
      )}
    </Box>
  );
}

function Availability({ userId }: { userId: string }) {
  const { t } = useTranslation();
  const { state, status } = usePresence(userId);
  return (
    <>
      <Box sx={{ display: "flex", alignItems: "center", gap: 0.75, mt: 0.5, typography: "body2" }}>
        <PresenceDot presence={state} size={10} silent />
        {t(`common.presence.${state}`)}
      </Box>
      {status && (
        <Typography dir="auto" sx={{ mt: 0.5, textWrap: "balance" }}>
          {t("rooms.status", { status })}
        </Typography>
      )}
    </>
  );
}
