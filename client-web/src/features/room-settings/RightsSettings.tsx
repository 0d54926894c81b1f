import Box from "@mui/material/Box";
import { useState, type ComponentProps } from "react";
import { useTranslation } from "react-i18next";

import { Options } from "../../components/Options";
import { postingOf } from "../../matrix/channel";
import { useSpaces } from "../../matrix/channelList";
import type { Access } from "../../matrix/directory";
import { useClient } from "../../matrix/MatrixProvider";
import type { RoomSummary } from "../../matrix/roomSummary";
import { setAccess, setHistory, setPosting, type ChannelSettings, type History } from "../../matrix/settings";
import type { Changing } from "./RoomSettings";

const HISTORIES: readonly History[] = ["shared", "invited", "joined", "world_readable"];

/** A choice that shows what was asked for at once, and what it was before if that is refused. */
function Choice<T extends string>({
  save,
  ...shown
}: Omit<ComponentProps<typeof Options<T>>, "onChange"> & { save: (value: T) => Promise<boolean> }) {
  const { value } = shown;
  const [asked, setAsked] = useState<{ value: T; before: T } | null>(null);
  // Answered, by this change or somebody else's.
  if (asked && asked.before !== value) setAsked(null);
  const choose = async (next: T) => {
    const mine = { value: next, before: value };
    setAsked(mine);
    if (!(await save(next))) setAsked((now) => (now === mine ? null : now));
  };
  return <Options {...shown} value={asked?.value ?? value} onChange={(next) => void choose(next)} />;
}

/** Who comes in, who writes, who reads what was said before. */
export function RightsSettings({
  roomId,
  settings,
  room,
  locked,
  change,
}: Changing & { settings: ChannelSettings; room: RoomSummary }) {
  const { t } = useTranslation();
  const client = useClient();
  const spaces = useSpaces();
  const space = settings.space ?? spaces[0]?.roomId ?? null;
  const spaceName = spaces.find((one) => one.roomId === space)?.name ?? "";
  const channel = room.kind === "channel";
  const who: readonly Access[] =
    spaceName || settings.access === "space"
      ? ["public", "space", "knock", "private"]
      : ["public", "knock", "private"];
  const histories = HISTORIES.filter(
    // Encrypted messages cannot be read by who has no keys to them.
    (history) =>
      history !== "world_readable" || (!settings.encrypted && channel) || settings.history === history,
  );
  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 3, maxWidth: 560 }}>
      {channel && (
        <Choice
          title={t("channels.who")}
          value={settings.access}
          locked={locked("access")}
          save={(access) => change(setAccess(client, roomId, access, space))}
          options={who.map((value) => ({
            value,
            label: t(`channels.access.${value}`, { space: spaceName }),
            text: t(`channels.accessText.${value}`, { space: spaceName }),
          }))}
        />
      )}
      <Choice
        title={t("channels.posting")}
        value={postingOf(settings.postLevel)}
        locked={settings.archived ? t("channels.archived") : locked("roles")}
        save={(posting) => change(setPosting(client, roomId, posting))}
        options={(["member", "moderator", "admin"] as const).map((value) => ({
          value,
          label: t(`channels.post.${value}`),
          text: t(`channels.postText.${value}`),
        }))}
      />
      <Choice
        title={t("channels.historyTitle")}
        value={settings.history}
        locked={locked("history")}
        save={(history) => change(setHistory(client, roomId, history))}
        options={histories.map((value) => ({
          value,
          label: t(`channels.history.${value}`),
          text: t(`channels.historyText.${value}`),
        }))}
      />
    </Box>
  );
}
