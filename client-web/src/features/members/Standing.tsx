import BlockIcon from "@mui/icons-material/Block";
import PersonRemoveIcon from "@mui/icons-material/PersonRemoveOutlined";
import SpeakIcon from "@mui/icons-material/RecordVoiceOverOutlined";
import MuteIcon from "@mui/icons-material/VoiceOverOffOutlined";
import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, tell } from "../../components/Announcer";
import { regional } from "../../i18n/times";
import { hindrance, rolesToGive, useAuthority } from "../../matrix/authority";
import { roleOf, type Role } from "../../matrix/channel";
import { useClient } from "../../matrix/MatrixProvider";
import type { Member } from "../../matrix/members";
import {
  ban,
  BLOCK,
  blockKey,
  blockPosting,
  readBlock,
  remove,
  setRole,
  unban,
  unblockPosting,
} from "../../matrix/moderation";
import { personKnown } from "../../matrix/people";
import { reasonOf } from "../../matrix/requests";
import { useRoom } from "../../matrix/rooms";
import { useStateEvent } from "../../matrix/state";
import { ReasonDialog } from "../../shared/ReasonDialog";
import { Line } from "./Line";

interface Props {
  roomId: string;
  member: Member;
  me: boolean;
}

type Asking = "block" | "remove" | "ban";

/** How somebody stands in a room, and what one may change about that. */
export function Standing({ roomId, member, me }: Props) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const authority = useAuthority(roomId);
  const block = readBlock(useStateEvent(roomId, BLOCK, blockKey(member.userId)));
  const [asking, setAsking] = useState<Asking | null>(null);
  const headingId = useId();
  const { userId, name, standing } = member;
  const role = roleOf(member.power);
  const here = standing === "join";
  const run = (action: Promise<void>, done: string) => {
    action.then(
      () => tell(done),
      (error: unknown) => alert(t("common.failed", { reason: reasonOf(error) })),
    );
  };
  const against = (act: "kick" | "ban" | "block") => hindrance(authority, act, member.power);
  const open = (act: "kick" | "ban" | "block") => !me && against(act) === null;
  const roles = me || !here ? [] : rolesToGive(authority, member.power);
  const blocked = role === "blocked";
  // Direct messages have no order to keep.
  if (room?.kind === "direct") return null;
  const may = { block: here && open("block"), kick: open("kick") && standing !== "ban", ban: open("ban") };
  const obstacle = me || may.block || may.kick || may.ban || roles.length > 1 ? null : against("kick");
  const why =
    obstacle === null
      ? ""
      : obstacle.why === "rank"
        ? t("people.why.rank")
        : t("people.why.role", { role: t(`people.theseRoles.${obstacle.role}`) });
  const acts: Record<Asking, (reason: string) => Promise<void>> = {
    block: (reason) => blockPosting(client, roomId, userId, reason),
    remove: (reason) => remove(client, roomId, userId, reason),
    ban: (reason) => ban(client, roomId, userId, reason),
  };
  const choices: readonly Role[] = roles.includes(role) ? roles : [role, ...roles];
  return (
    <Box component="section" aria-labelledby={headingId}>
      <Typography variant="overline" component="h4" id={headingId} sx={{ color: "text.secondary", mb: 0.75 }}>
        {t("people.in", { room: room?.name ?? "" })}
      </Typography>
      {here &&
        (roles.length > 1 ? (
          <TextField
            select
            fullWidth
            size="small"
            label={t("people.role")}
            value={role}
            helperText={t(`people.rolesText.${role}`)}
            onChange={(change) => {
              const next = change.target.value as Role;
              run(
                setRole(client, roomId, userId, next),
                t("people.done.role", { name, role: t(`people.roles.${next}`) }),
              );
            }}
          >
            {choices.map((choice) => (
              <MenuItem key={choice} value={choice}>
                {t(`people.roles.${choice}`)}
              </MenuItem>
            ))}
          </TextField>
        ) : (
          <Box>
            <Typography sx={{ fontWeight: 550 }}>{t(`people.roles.${role}`)}</Typography>
            <Typography variant="body2" sx={{ color: "text.secondary" }}>
              {t(`people.rolesText.${role}`)}
            </Typography>
          </Box>
        ))}
      {!here && <Typography sx={{ fontWeight: 550 }}>{t(`people.sections.${standing}`)}</Typography>}
      {member.reason && standing !== "join" && (
        <Typography variant="body2" dir="auto" sx={{ color: "text.secondary" }}>
          {t("people.blockedWhy", { reason: member.reason })}
        </Typography>
      )}
      {blocked && block && (
        <Box sx={{ mt: 1, p: 1.25, borderRadius: "8px", bgcolor: "surface.code", typography: "body2" }}>
          {t("people.blockedBy", {
            by: personKnown(client, block.by).name,
            when: new Intl.DateTimeFormat(regional(i18n.language), {
              dateStyle: "medium",
              timeStyle: "short",
            }).format(block.at),
          })}
          {block.reason && <Box dir="auto">{t("people.blockedWhy", { reason: block.reason })}</Box>}
        </Box>
      )}
      {why && (
        <Typography variant="body2" sx={{ mt: 1, color: "text.secondary", fontStyle: "italic" }}>
          {why}
        </Typography>
      )}
      <Box sx={{ display: "flex", flexDirection: "column", mx: -1, mt: 1 }}>
        {may.block &&
          (blocked ? (
            <Line
              icon={<SpeakIcon />}
              onClick={() => run(unblockPosting(client, roomId, userId), t("people.done.unblock", { name }))}
            >
              {t("people.unblock")}
            </Line>
          ) : (
            <Line icon={<MuteIcon />} onClick={() => setAsking("block")}>
              {t("people.block")}
            </Line>
          ))}
        {may.kick && (
          <Line danger icon={<PersonRemoveIcon />} onClick={() => setAsking("remove")}>
            {t(standing === "invite" ? "people.uninvite" : "people.remove")}
          </Line>
        )}
        {may.ban &&
          (standing === "ban" ? (
            <Line
              icon={<SpeakIcon />}
              onClick={() => run(unban(client, roomId, userId), t("people.done.unban", { name }))}
            >
              {t("people.unban")}
            </Line>
          ) : (
            <Line danger icon={<BlockIcon />} onClick={() => setAsking("ban")}>
              {t("people.ban")}
            </Line>
          ))}
      </Box>
      {asking && (
        <ReasonDialog
          grave
          title={t(`people.${asking}Title`, { name })}
          text={t(`people.${asking}Text`)}
          label={t("people.reason")}
          action={t(`people.${asking}`)}
          onClose={() => setAsking(null)}
          onAct={async (reason) => {
            await acts[asking](reason);
            tell(t(`people.done.${asking}`, { name }));
          }}
        />
      )}
    </Box>
  );
}
