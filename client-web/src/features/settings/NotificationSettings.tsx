import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type SubmitEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../../components/Announcer";
import { regional } from "../../i18n/times";
import { setAccountData, useAccountData } from "../../matrix/accountData";
import { useClient } from "../../matrix/MatrixProvider";
import {
  addKeyword,
  type Kind,
  kinds,
  type Loudness,
  readKeywords,
  readLoudness,
  removeKeyword,
  setLoudness,
} from "../../matrix/notify/Notifier";
import { isQuiet, QUIET, type Quiet, readQuiet } from "../../matrix/notify/quiet";
import { isMuted, setMuted } from "../../matrix/profile";
import { desktopNotifications, setDesktopNotifications } from "../../preferences/desktop";
import { usePreferencesState } from "../../preferences/store";
import { Part, SwitchRow } from "./Rows";
import type { Choosing } from "./SettingsDialog";

/** What makes itself heard, and when not. */
export function NotificationSettings({ chosen, choose }: Choosing) {
  const { t } = useTranslation();
  const client = useClient();
  const rules = useAccountData("m.push_rules");
  const muted = isMuted(rules);
  const { settings } = usePreferencesState();
  const allowed = settings.notification_sounds_enabled;
  const [desktop, setDesktop] = useState(desktopNotifications);
  const able = desktop === "on" || desktop === "off";
  return (
    <>
      <Box component="section" sx={{ mb: 3.5 }}>
        <SwitchRow
          title={t("settings.mute.title")}
          text={t("settings.mute.text")}
          checked={muted}
          onChange={(now) => told(setMuted(client, now), t)}
        />
        <SwitchRow
          title={t("settings.sounds.title")}
          text={t(allowed ? "settings.sounds.text" : "settings.sounds.forbidden")}
          disabled={!allowed}
          checked={chosen.notification_sounds && allowed}
          onChange={(notification_sounds) => {
            choose({ notification_sounds });
          }}
        />
        <SwitchRow
          title={t("notify.desktop.title")}
          text={t(able ? "notify.desktop.text" : `notify.desktop.${desktop}`)}
          disabled={!able}
          checked={desktop === "on"}
          onChange={(on) => void setDesktopNotifications(on).then(() => setDesktop(desktopNotifications()))}
        />
      </Box>
      <QuietPart />
      <KindsPart rules={rules} />
      <WordsPart rules={rules} />
    </>
  );
}

function told(change: Promise<unknown>, t: (key: string, values: Record<string, string>) => string): void {
  change.catch((refused: unknown) => {
    alert(t("common.failed", { reason: refused instanceof Error ? refused.message : String(refused) }));
  });
}

function QuietPart() {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const quiet = readQuiet(useAccountData(QUIET));
  const [opened] = useState(() => new Date());
  const change = (next: Partial<Quiet>) => told(setAccountData(client, QUIET, { ...quiet, ...next }), t);
  const snoozed = isQuiet({ ...quiet, schedule: { ...quiet.schedule, enabled: false } }, opened);
  const inMinutes = (count: number) => () => change({ until: Date.now() + count * 60_000 });
  const tomorrow = () => {
    const morning = new Date();
    morning.setDate(morning.getDate() + 1);
    morning.setHours(8, 0, 0, 0);
    change({ until: morning.getTime() });
  };
  const until = new Intl.DateTimeFormat(regional(i18n.language), {
    weekday: "short",
    hour: "numeric",
    minute: "2-digit",
  }).format(quiet.until);
  const clock = (side: "from" | "to") => (
    <TextField
      type="time"
      size="small"
      label={t(`notify.quiet.${side}`)}
      value={quiet.schedule[side]}
      onChange={({ target }) => {
        if (target.value) change({ schedule: { ...quiet.schedule, [side]: target.value } });
      }}
      slotProps={{ inputLabel: { shrink: true } }}
      sx={{ width: 140 }}
    />
  );
  return (
    <Part title={t("notify.quiet.title")}>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.25 }}>
        {snoozed ? t("notify.quiet.now", { until }) : t("notify.quiet.text")}
      </Typography>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, mb: 1 }}>
        {snoozed ? (
          <Button variant="outlined" onClick={() => change({ until: 0 })}>
            {t("notify.quiet.end")}
          </Button>
        ) : (
          <>
            <Button variant="outlined" onClick={inMinutes(30)}>
              {t("notify.quiet.for30")}
            </Button>
            <Button variant="outlined" onClick={inMinutes(60)}>
              {t("notify.quiet.for60")}
            </Button>
            <Button variant="outlined" onClick={tomorrow}>
              {t("notify.quiet.tomorrow")}
            </Button>
          </>
        )}
      </Box>
      <SwitchRow
        title={t("notify.quiet.schedule")}
        text={t("notify.quiet.scheduleText")}
        checked={quiet.schedule.enabled}
        onChange={(enabled) => change({ schedule: { ...quiet.schedule, enabled } })}
      />
      {quiet.schedule.enabled && (
        <Box sx={{ display: "flex", gap: 1.5, pt: 2 }}>
          {clock("from")}
          {clock("to")}
        </Box>
      )}
    </Part>
  );
}

const LOUDNESS: readonly Loudness[] = ["sound", "notify", "off"];

function KindsPart({ rules }: { rules: object | null }) {
  const { t } = useTranslation();
  const client = useClient();
  return (
    <Part title={t("notify.kinds.title")}>
      {(Object.keys(kinds) as Kind[]).map((kind) => (
        <Box
          key={kind}
          sx={{
            display: "flex",
            alignItems: "center",
            gap: 2,
            py: 0.75,
            minHeight: 44,
            borderBottom: 1,
            borderColor: "divider",
          }}
        >
          <Typography sx={{ flex: 1, fontWeight: 550 }} id={`loudness-${kind}`}>
            {t(`notify.kinds.${kind}`)}
          </Typography>
          <TextField
            select
            size="small"
            value={readLoudness(rules, kind)}
            onChange={({ target }) => told(setLoudness(client, kind, target.value as Loudness), t)}
            slotProps={{ select: { SelectDisplayProps: { "aria-labelledby": `loudness-${kind}` } } }}
            sx={{ width: { xs: 170, sm: 210 } }}
          >
            {LOUDNESS.map((loudness) => (
              <MenuItem key={loudness} value={loudness}>
                {t(
                  kind === "mentions" && loudness === "off"
                    ? "notify.kinds.likeOthers"
                    : `notify.kinds.${loudness}`,
                )}
              </MenuItem>
            ))}
          </TextField>
        </Box>
      ))}
      <Typography variant="body2" sx={{ color: "text.secondary", mt: 1 }}>
        {t("notify.kinds.perRoom")}
      </Typography>
    </Part>
  );
}

function WordsPart({ rules }: { rules: object | null }) {
  const { t } = useTranslation();
  const client = useClient();
  const words = readKeywords(rules);
  const add = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const word = new FormData(form).get("word");
    if (typeof word !== "string" || word.trim() === "" || words.includes(word.trim())) return;
    form.reset();
    told(addKeyword(client, word.trim()), t);
  };
  return (
    <Part title={t("notify.words.title")}>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.25 }}>
        {t("notify.words.text")}
      </Typography>
      {words.length > 0 && (
        <Box component="ul" sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, m: 0, mb: 1.25, p: 0 }}>
          {words.map((word) => (
            <Box component="li" key={word} sx={{ listStyle: "none" }}>
              <Chip
                label={word}
                onDelete={() => told(removeKeyword(client, rules, word), t)}
                aria-label={t("notify.words.remove", { word })}
              />
            </Box>
          ))}
        </Box>
      )}
      <Box component="form" onSubmit={add} sx={{ display: "flex", gap: 1 }}>
        <TextField
          name="word"
          size="small"
          label={t("notify.words.add")}
          slotProps={{ htmlInput: { maxLength: 60 } }}
        />
        <Button type="submit" variant="outlined">
          {t("notify.words.submit")}
        </Button>
      </Box>
    </Part>
  );
}
