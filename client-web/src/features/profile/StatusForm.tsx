import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { PresenceDot } from "../../components/PresenceDot";
import { useClient } from "../../matrix/MatrixProvider";
import { useStatusRules } from "../../matrix/policy";
import { setStatus, useOwnStatus, type Status } from "../../matrix/status";
import { usePreferencesState } from "../../preferences/store";

const STATES: readonly Status["state"][] = ["online", "away", "busy", "offline"];
const SUGGESTIONS = {
  online: ["1", "2"],
  away: ["1", "2", "3"],
  busy: ["1", "2", "3"],
  offline: [],
} as const;

interface Props {
  /** Does something and says how it went; true if well. */
  attempt: (action: Promise<void>) => Promise<boolean>;
}

/** How available one is, and what one says of it: as much as the organisation allows. */
export function StatusForm({ attempt }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const narrow = useMediaQuery(useTheme().breakpoints.down("sm"));
  const kept = useOwnStatus();
  const { settings } = usePreferencesState();
  const rules = useStatusRules();
  const [draft, setDraft] = useState<Status | null>(null);
  const [busy, setBusy] = useState(false);
  const status = draft ?? kept;
  const { state } = status;
  const allowed = rules.enabled && settings.allow_custom_status;
  const length = Math.min(rules.length, settings.max_away_message_length);
  const silent = state === "offline" || !allowed;
  const field = state === "away" ? "awayMessage" : "message";
  const text = status[field];
  const hint = !allowed
    ? t("settings.person.forbidden")
    : t(state === "offline" ? "settings.person.noMessage" : "settings.person.messageHint");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setBusy(true);
    const said = allowed ? status : { ...status, message: "", awayMessage: "" };
    if (await attempt(setStatus(client, said))) setDraft(null);
    setBusy(false);
  };
  return (
    <Box
      component="form"
      onSubmit={(event) => void submit(event)}
      sx={{ display: "flex", flexDirection: "column", gap: 2 }}
    >
      <ToggleButtonGroup
        exclusive
        fullWidth
        orientation={narrow ? "vertical" : "horizontal"}
        size="small"
        value={state}
        aria-label={t("settings.person.status")}
        onChange={(_, next: Status["state"] | null) => {
          if (next) setDraft({ ...status, state: next });
        }}
      >
        {STATES.map((one) => (
          <ToggleButton
            key={one}
            value={one}
            sx={{
              gap: 1,
              minHeight: 40,
              textTransform: "none",
              fontSize: "0.875rem",
              color: "text.primary",
              borderColor: "border.control",
              "&.Mui-selected, &.Mui-selected:hover": { bgcolor: "surface.selected", fontWeight: 600 },
            }}
          >
            <PresenceDot presence={one} silent />
            {t(`common.presence.${one}`)}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      {silent ? (
        <Box sx={{ typography: "body2", color: "text.secondary" }}>{hint}</Box>
      ) : (
        <>
          <TextField
            size="small"
            fullWidth
            label={t(state === "away" ? "settings.person.awayMessage" : "settings.person.message")}
            value={text}
            helperText={`${hint} (${String([...text].length)}/${String(length)})`}
            error={[...text].length > length}
            onChange={(event) => setDraft({ ...status, [field]: event.target.value })}
          />
          <Box
            role="group"
            aria-label={t("settings.person.suggestions")}
            sx={{ display: "flex", flexWrap: "wrap", gap: 0.75 }}
          >
            {SUGGESTIONS[state].map((number) => {
              const suggestion = t(`settings.suggestion.${state}.${number}`);
              return (
                <Chip
                  key={number}
                  label={suggestion}
                  variant="outlined"
                  size="small"
                  sx={{ height: 30, borderColor: "border.control" }}
                  onClick={() => setDraft({ ...status, [field]: suggestion })}
                />
              );
            })}
            {text !== "" && (
              <Chip
                label={t("settings.person.clear")}
                size="small"
                sx={{ height: 30 }}
                onClick={() => setDraft({ ...status, [field]: "" })}
              />
            )}
          </Box>
        </>
      )}
      <Button
        type="submit"
        variant="contained"
        disabled={draft === null || [...text].length > length}
        loading={busy}
        sx={{ alignSelf: "flex-start" }}
      >
        {t("common.save")}
      </Button>
    </Box>
  );
}
