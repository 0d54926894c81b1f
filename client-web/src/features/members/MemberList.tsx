import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { memo, useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Virtuoso } from "react-virtuoso";

import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { useMembers, type Member } from "../../matrix/members";
import { useMedia } from "../../matrix/media";
import { useUserId } from "../../matrix/MatrixProvider";
import { usePresence } from "../../matrix/presence";

interface Props {
  roomId: string;
  /** Opens a person, for instance a direct message with them. */
  onOpenPerson?: (userId: string) => void;
}

const AVATAR = { width: 30, height: 30, crop: true };

/** Who is here, the powerful first. */
export function MemberList({ roomId, onOpenPerson }: Props) {
  const { t } = useTranslation();
  const me = useUserId();
  const members = useMembers(roomId);
  const [wanted, setWanted] = useState("");
  const term = useDeferredValue(wanted.trim().toLocaleLowerCase());
  const shown = useMemo(
    () =>
      term
        ? members.filter(
            (member) =>
              member.name.toLocaleLowerCase().includes(term) ||
              member.userId.toLocaleLowerCase().includes(term),
          )
        : members,
    [members, term],
  );
  return (
    <Box sx={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0 }}>
      {members.length > 8 && (
        <Box sx={{ p: 1.5, pb: 0.5 }}>
          <InputBase
            fullWidth
            value={wanted}
            onChange={(change) => setWanted(change.target.value)}
            placeholder={t("members.find")}
            inputProps={{ "aria-label": t("members.find"), type: "search" }}
            sx={{
              px: 1.25,
              py: 0.25,
              border: 1,
              borderColor: "border.control",
              borderRadius: "8px",
              bgcolor: "surface.input",
            }}
          />
        </Box>
      )}
      {shown.length === 0 && term ? (
        <Typography sx={{ p: 2, color: "text.secondary" }}>{t("members.none")}</Typography>
      ) : (
        <Virtuoso
          style={{ flex: 1, minHeight: 0 }}
          data={shown}
          computeItemKey={(_index, member) => member.userId}
          initialItemCount={Math.min(shown.length, 20)}
          itemContent={(_index, member) => (
            <MemberRow member={member} me={member.userId === me} onOpen={onOpenPerson} />
          )}
        />
      )}
    </Box>
  );
}

const MemberRow = memo(function MemberRow({
  member,
  me,
  onOpen,
}: {
  member: Member;
  me: boolean;
  onOpen: ((userId: string) => void) | undefined;
}) {
  const { t } = useTranslation();
  const { url } = useMedia(member.avatar, AVATAR);
  const role = member.invited
    ? t("members.invited")
    : member.power >= 100
      ? t("members.admin")
      : member.power >= 50
        ? t("members.moderator")
        : "";
  const open = onOpen && !me ? () => onOpen(member.userId) : undefined;
  return (
    <Box sx={{ px: 1 }}>
      <ButtonBase
        component={open ? "button" : "div"}
        disabled={!open}
        onClick={open}
        sx={(theme) => ({
          width: "100%",
          minHeight: 44,
          px: 1,
          gap: 1.25,
          borderRadius: "8px",
          justifyContent: "flex-start",
          textAlign: "start",
          ...(open && { "&:hover": { bgcolor: "surface.hover" } }),
          "&:focus-visible": {
            outline: "2px solid",
            outlineColor: theme.palette.focus,
            outlineOffset: "-2px",
          },
        })}
      >
        <Box sx={{ position: "relative", opacity: member.invited ? 0.6 : 1 }}>
          <PersonAvatar name={member.name} id={member.userId} src={url ?? undefined} size={30} />
          <Dot userId={member.userId} />
        </Box>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Box
            dir="auto"
            sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", fontWeight: 550 }}
          >
            {member.name} {me && t("members.you")}
          </Box>
          <Status userId={member.userId} />
        </Box>
        {role && (
          <Box component="span" sx={{ typography: "caption", color: "text.secondary" }}>
            {role}
          </Box>
        )}
      </ButtonBase>
    </Box>
  );
});

function Dot({ userId }: { userId: string }) {
  const { state } = usePresence(userId);
  return (
    <Box sx={{ position: "absolute", bottom: -3, insetInlineEnd: -4, display: "flex" }}>
      <PresenceDot presence={state} size={9} on="messages" />
    </Box>
  );
}

function Status({ userId }: { userId: string }) {
  const { status } = usePresence(userId);
  if (!status) return null;
  return (
    <Box
      dir="auto"
      sx={{
        typography: "caption",
        color: "text.secondary",
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
      }}
    >
      {status}
    </Box>
  );
}
