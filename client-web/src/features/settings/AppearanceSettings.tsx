import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { useTranslation } from "react-i18next";

import { languages, type Language } from "../../i18n";
import { usePreferencesState } from "../../preferences/store";
import { Choice, Part, SwitchRow } from "./Rows";
import type { Choosing } from "./SettingsDialog";
import { ThemePicker } from "./ThemePicker";
import { ThemePreview } from "./ThemePreview";

/** How everything looks. */
export function AppearanceSettings({ chosen, choose }: Choosing) {
  const { t } = useTranslation();
  const { settings } = usePreferencesState();
  return (
    <>
      <ThemePicker
        value={chosen.theme}
        available={settings.available_themes}
        onChange={(theme) => {
          choose({ theme });
        }}
      />
      <Part title={t("settings.preview.title")}>
        <ThemePreview />
      </Part>
      <Choice
        title={t("settings.density.title")}
        value={chosen.density}
        choices={[
          { value: "comfortable", label: t("settings.density.comfortable") },
          { value: "compact", label: t("settings.density.compact") },
        ]}
        onChange={(density) => {
          choose({ density });
        }}
      />
      <Choice
        title={t("settings.fontSize.title")}
        value={chosen.font_size}
        choices={([90, 100, 112, 125] as const).map((value) => ({
          value,
          label: t(`settings.fontSize.${value}`),
        }))}
        onChange={(font_size) => {
          choose({ font_size });
        }}
      />
      <Part title={t("settings.language.title")}>
        <TextField
          select
          size="small"
          value={chosen.language}
          onChange={(event) => {
            choose({ language: event.target.value as Language | "auto" });
          }}
          slotProps={{
            htmlInput: { "aria-label": t("settings.language.title") },
            select: { SelectDisplayProps: { "aria-label": t("settings.language.title") } },
          }}
          sx={{ minWidth: 220 }}
        >
          <MenuItem value="auto">{t("settings.language.auto")}</MenuItem>
          {Object.entries(languages).map(([code, { name }]) => (
            <MenuItem key={code} value={code} lang={code}>
              {name}
            </MenuItem>
          ))}
        </TextField>
      </Part>
      <Box>
        <SwitchRow
          title={t("settings.motion.title")}
          text={t("settings.motion.text")}
          checked={chosen.motion === "reduced"}
          onChange={(still) => {
            choose({ motion: still ? "reduced" : "system" });
          }}
        />
      </Box>
    </>
  );
}
