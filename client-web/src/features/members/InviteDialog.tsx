import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { tell, useAnnounced } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { useClient } from "../../matrix/MatrixProvider";
import { useEverybody } from "../../matrix/members";
import { invite } from "../../matrix/moderation";
import type { Person } from "../../matrix/people";
import { reasonOf } from "../../matrix/requests";
import { useRoom } from "../../matrix/rooms";
import { PeoplePicker } from "../../shared/PeoplePicker";

/** Whom to invite. Who could not be stays chosen, with the reason. */
export function InviteDialog({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const members = useEverybody(roomId);
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [failures, setFailures] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const refused = (userId: string) => {
    switch (members.find((member) => member.userId === userId)?.standing) {
      case "join":
        return t("people.here");
      case "invite":
        return t("people.invitedAlready");
      case "ban":
        return t("people.banned");
      default:
        return null;
    }
  };
  const send = async () => {
    if (people.length === 0 || busy) return;
    setBusy(true);
    const told: string[] = [];
    const left: Person[] = [];
    for (const person of people) {
      try {
        await invite(client, roomId, person.userId);
      } catch (error) {
        left.push(person);
        told.push(t("people.inviteFailed", { name: person.name, reason: reasonOf(error) }));
      }
    }
    const sent = people.length - left.length;
    if (sent > 0) tell(t("people.invited", { count: sent }));
    if (left.length === 0) {
      onClose();
      return;
    }
    setPeople(left);
    setFailures(told);
    setBusy(false);
  };
  const what = people.length > 0 ? t("people.inviteCount", { count: people.length }) : t("people.inviteHint");
  useAnnounced(what);
  return (
    <Sheet
      title={t("people.inviteTitle", { name: room?.name ?? "" })}
      onClose={onClose}
      actions={
        <>
          <Box sx={{ flex: 1, px: 1, color: "text.secondary", fontSize: "0.8125rem" }}>{what}</Box>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            variant="contained"
            disabled={people.length === 0}
            loading={busy}
            onClick={() => void send()}
          >
            {t("people.inviteAction")}
          </Button>
        </>
      }
    >
      <Box sx={{ display: "flex", flexDirection: "column", height: { xs: "100%", sm: 420 }, minHeight: 0 }}>
        {failures.length > 0 && (
          <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
            {failures.map((failure) => (
              <div key={failure}>{failure}</div>
            ))}
          </Alert>
        )}
        <PeoplePicker chosen={people} onChosen={setPeople} onSubmit={() => void send()} refused={refused} />
      </Box>
    </Sheet>
  );
}
