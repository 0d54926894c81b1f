import PersonAddIcon from "@mui/icons-material/PersonAddAltOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { memo, useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { VirtualList } from "../../components/list/VirtualList";
import { may, useAuthority } from "../../matrix/authority";
import { roleOf } from "../../matrix/channel";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { useEverybody, type Member } from "../../matrix/members";
import { invite, remove } from "../../matrix/moderation";
import { usePresence } from "../../matrix/presence";
import { reasonOf } from "../../matrix/requests";
import { Face } from "../../shared/Face";
import { roster, type RosterItem } from "./roster";

interface Props {
  roomId: string;
  onOpenPerson: (userId: string) => void;
  onInvite: () => void;
}

const MANY = 8;
const ROW_HEIGHT = 44;
const keyOfItem = (item: RosterItem) => item.key;

/** Who is here, by role; who asks to come in; who is kept out. */
export function MemberList({ roomId, onOpenPerson, onInvite }: Props) {
  const { t } = useTranslation();
  const me = useUserId();
  const members = useEverybody(roomId);
  const authority = useAuthority(roomId);
  const [wanted, setWanted] = useState("");
  const term = useDeferredValue(wanted);
  const mayInvite = may(authority, "invite");
  const mayBan = may(authority, "ban");
  const items = useMemo(
    () => roster(members, term, { knocks: mayInvite, bans: mayBan }),
    [members, term, mayInvite, mayBan],
  );
  return (
    <Box sx={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0 }}>
      <Box sx={{ p: 1.5, pb: 1, display: "flex", flexDirection: "column", gap: 1 }}>
        {members.length > MANY && (
          <InputBase
            fullWidth
            value={wanted}
            onChange={(change) => setWanted(change.target.value)}
            placeholder={t("members.find")}
            inputProps={{ "aria-label": t("members.find"), type: "search" }}
            sx={(theme) => ({
              px: 1.25,
              py: 0.25,
              border: 1,
              borderColor: "border.control",
              borderRadius: "8px",
              bgcolor: "surface.input",
              "&:focus-within": {
                borderColor: theme.palette.focus,
                boxShadow: `0 0 0 ${theme.highContrast ? "2" : "1"}px ${theme.palette.focus}`,
              },
            })}
          />
        )}
        {mayInvite ? (
          <Button variant="outlined" startIcon={<PersonAddIcon />} onClick={onInvite}>
            {t("people.invite")}
          </Button>
        ) : (
          <Typography variant="body2" sx={{ color: "text.secondary", px: 0.5 }}>
            {t("people.mayNotInvite", { role: t(`people.theseRoles.${roleOf(authority.needs.invite)}`) })}
          </Typography>
        )}
      </Box>
      {items.length === 0 && term.trim() ? (
        <Typography sx={{ p: 2, color: "text.secondary" }}>{t("members.none")}</Typography>
      ) : (
        <VirtualList
          items={items}
          keyOf={keyOfItem}
          estimate={ROW_HEIGHT}
          draw={(item) =>
            item.kind === "heading" ? (
              <Typography
                variant="overline"
                component="h3"
                sx={{ px: 2, pt: 1.5, pb: 0.25, color: "text.secondary" }}
              >
                {t(`people.sections.${item.key}`)} · {item.count}
              </Typography>
            ) : (
              <>
                <MemberRow member={item.member} me={item.member.userId === me} onOpen={onOpenPerson} />
                {item.section === "knock" && (
                  <Knock roomId={roomId} member={item.member} mayTurnDown={may(authority, "kick")} />
                )}
              </>
            )
          }
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
  onOpen: (userId: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <Box sx={{ px: 1 }}>
      <ButtonBase
        onClick={() => onOpen(member.userId)}
        sx={(theme) => ({
          width: "100%",
          minHeight: 44,
          px: 1,
          gap: 1.25,
          borderRadius: "8px",
          justifyContent: "flex-start",
          textAlign: "start",
          "&:hover": { bgcolor: "surface.hover" },
          "&:focus-visible": {
            outline: "2px solid",
            outlineColor: theme.palette.focus,
            outlineOffset: "-2px",
          },
        })}
      >
        <Box sx={{ opacity: member.standing === "join" ? 1 : 0.6 }}>
          <Face userId={member.userId} name={member.name} avatar={member.avatar} size={30} />
        </Box>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Box dir="auto" sx={{ ...cut, typography: "body2", fontWeight: 550 }}>
            {member.name} {me && t("members.you")}
          </Box>
          {member.standing === "join" ? (
            <Status userId={member.userId} />
          ) : (
            member.reason && <Caption>{member.reason}</Caption>
          )}
        </Box>
      </ButtonBase>
    </Box>
  );
});

/** Somebody asks to come in. */
function Knock({ roomId, member, mayTurnDown }: { roomId: string; member: Member; mayTurnDown: boolean }) {
  const { t } = useTranslation();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const run = (action: Promise<void>, done: string) => {
    setBusy(true);
    action
      .then(
        () => tell(done),
        (error: unknown) => alert(t("common.failed", { reason: reasonOf(error) })),
      )
      .finally(() => setBusy(false));
  };
  const { name, userId } = member;
  return (
    <Box sx={{ display: "flex", gap: 0.75, paddingInlineStart: "58px", pb: 1 }}>
      <Button
        size="small"
        variant="contained"
        disabled={busy}
        aria-label={t("people.letInName", { name })}
        onClick={() => run(invite(client, roomId, userId), t("people.invited", { count: 1 }))}
      >
        {t("people.letIn")}
      </Button>
      {mayTurnDown && (
        <Button
          size="small"
          disabled={busy}
          aria-label={t("people.turnDownName", { name })}
          onClick={() => run(remove(client, roomId, userId), t("people.done.remove", { name }))}
        >
          {t("people.turnDown")}
        </Button>
      )}
    </Box>
  );
}

const cut = { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" } as const;

function Caption({ children }: { children: string }) {
  return (
    <Box dir="auto" sx={{ typography: "caption", color: "text.secondary", ...cut }}>
      {children}
    </Box>
  );
}

function Status({ userId }: { userId: string }) {
  const { status } = usePresence(userId);
  return status ? <Caption>{status}</Caption> : null;
}
