import Good from "@mui/icons-material/GppGoodOutlined";
import Unsure from "@mui/icons-material/GppMaybeOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, useAnnounced } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { Sheet } from "../../components/Sheet";
import { useEncryptionState, useTrustChanges } from "../../matrix/encryption/hooks";
import { acceptChange, type PersonTrust, readPerson, verifyPerson } from "../../matrix/encryption/security";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { type Member, useMembers } from "../../matrix/members";
import { useMedia } from "../../matrix/media";

/** More people than this are not listed: who is verified matters among few. */
const LISTED = 50;

/** What encryption means in this conversation, and who in it is who they say. */
export function EncryptionDialog({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation();
  const me = useUserId();
  const others = useMembers(roomId).filter((member) => member.userId !== me);
  const state = useEncryptionState();
  const trouble = state === "elsewhere" || state === "failed" ? t(`security.${state}`) : "";
  useAnnounced(trouble);
  return (
    <Sheet title={t("security.room.title")} onClose={onClose} width="xs">
      <Box sx={{ display: "flex", gap: 1.5, pb: 2 }}>
        <Good aria-hidden sx={{ fontSize: 28, color: "success.main" }} />
        <Box>
          <Typography variant="h3" component="p" sx={{ mb: 0.5 }}>
            {t("security.room.on")}
          </Typography>
          <Typography variant="body2" sx={{ color: "text.secondary" }}>
            {t("security.room.onText")}
          </Typography>
        </Box>
      </Box>
      {trouble && (
        <Typography variant="body2" sx={{ pb: 2, color: "warning.main" }}>
          {trouble}
        </Typography>
      )}
      {others.length > 0 && (
        <>
          <Typography variant="h3" sx={{ mb: 0.5 }}>
            {t("security.room.people")}
          </Typography>
          <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, pb: 2 }}>
            {others.slice(0, LISTED).map((member) => (
              <Person key={member.userId} member={member} roomId={roomId} onVerify={onClose} />
            ))}
          </Box>
        </>
      )}
    </Sheet>
  );
}

const AVATAR = { width: 32, height: 32, crop: true };

function Person({ member, roomId, onVerify }: { member: Member; roomId: string; onVerify: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const trustChanges = useTrustChanges();
  const { url } = useMedia(member.avatar, AVATAR);
  const [trust, setTrust] = useState<PersonTrust | null>(null);
  const load = useCallback(() => {
    readPerson(client, member.userId).then(setTrust, () => setTrust(null));
  }, [client, member.userId]);
  useEffect(load, [load, trustChanges]);
  const attempt = (act: Promise<void>, then: () => void) => {
    act.then(then, (refused: unknown) => {
      alert(t("common.failed", { reason: refused instanceof Error ? refused.message : String(refused) }));
    });
  };
  const Icon = trust === "verified" ? Good : Unsure;
  const colour =
    trust === "verified" ? "success.main" : trust === "changed" ? "warning.main" : "text.secondary";
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        alignItems: "center",
        flexWrap: "wrap",
        gap: 1.25,
        py: 1,
        "& + &": { borderTop: 1, borderColor: "divider" },
        minHeight: 56,
      }}
    >
      <PersonAvatar id={member.userId} name={member.name} src={url ?? undefined} size={32} />
      <Box sx={{ flex: 1, minWidth: 120 }}>
        <Typography noWrap sx={{ fontWeight: 550 }}>
          {member.name}
        </Typography>
        <Typography
          variant="body2"
          sx={{ display: "flex", alignItems: "center", gap: 0.5, color: colour, minHeight: 20 }}
        >
          {trust && (
            <>
              <Icon aria-hidden sx={{ fontSize: 15 }} />
              {t(`security.room.trust.${trust}`)}
            </>
          )}
        </Typography>
      </Box>
      {trust === "changed" && (
        <Button onClick={() => attempt(acceptChange(client, member.userId), load)}>
          {t("security.room.accept")}
        </Button>
      )}
      {(trust === "unverified" || trust === "changed") && (
        <Button
          variant="outlined"
          aria-label={t("security.verify.person", { name: member.name })}
          onClick={() => attempt(verifyPerson(client, member.userId, roomId), onVerify)}
        >
          {t("security.action.verify")}
        </Button>
      )}
    </Box>
  );
}
