import Good from "@mui/icons-material/GppGoodOutlined";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { Sheet } from "../../components/Sheet";
import { useEncryptionState } from "../../matrix/encryption/hooks";
import { useUserId } from "../../matrix/MatrixProvider";
import { type Member, useMembers } from "../../matrix/members";
import { useMedia } from "../../matrix/media";
import { TrustActions, TrustLine, usePersonTrust } from "../../shared/Trust";

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
              <Person key={member.userId} member={member} onVerify={onClose} />
            ))}
          </Box>
        </>
      )}
    </Sheet>
  );
}

const AVATAR = { width: 32, height: 32, crop: true };

function Person({ member, onVerify }: { member: Member; onVerify: () => void }) {
  const { url } = useMedia(member.avatar, AVATAR);
  const [trust, look] = usePersonTrust(member.userId);
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
        <TrustLine trust={trust} />
      </Box>
      <TrustActions
        userId={member.userId}
        name={member.name}
        trust={trust}
        onVerify={onVerify}
        onAccepted={look}
      />
    </Box>
  );
}
