import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import MenuItem from "@mui/material/MenuItem";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { tryDirection } from "../../i18n/direction";
import { preferences } from "../../preferences/store";
import { isThemeName, themeNames } from "../../theme/themes";
import { Buttons, Choices, Dialogs, Fields, Lists, Marks, People, States, Surfaces } from "./samples";

const SAMPLES: [string, () => ReactNode][] = [
  ["surfaces", Surfaces],
  ["buttons", Buttons],
  ["fields", Fields],
  ["choices", Choices],
  ["people", People],
  ["marks", Marks],
  ["lists", Lists],
  ["states", States],
  ["dialogs", Dialogs],
];

/** Every shared component in every state, in the theme of the address: `/dev/gallery?theme=ocean&compact&rtl`. */
export function Gallery() {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const wanted = search.get("theme");
  const theme = isThemeName(wanted) ? wanted : "auto";
  const compact = search.has("compact");
  const rtl = search.has("rtl");

  useEffect(() => {
    preferences.try({ theme, density: compact ? "compact" : "comfortable" });
  }, [theme, compact]);
  useEffect(
    () => () => {
      preferences.try({});
    },
    [],
  );
  useEffect(() => {
    document.title = t("gallery.title");
  }, [t]);
  useEffect(() => {
    tryDirection(rtl ? "rtl" : null);
    return () => tryDirection(null);
  }, [rtl]);

  const change = (name: string, value: string | null) => {
    setSearch((before) => {
      const after = new URLSearchParams(before);
      if (value === null) after.delete(name);
      else after.set(name, value);
      return after;
    });
  };
  return (
    <Box sx={{ height: "100dvh", overflow: "auto", bgcolor: "surface.messages", color: "text.primary" }}>
      <Box
        component="header"
        sx={{
          display: "flex",
          flexWrap: "wrap",
          alignItems: "center",
          gap: 2,
          px: 3,
          py: 1.5,
          bgcolor: "surface.sidebar",
          borderBottom: 1,
          borderColor: "divider",
        }}
      >
        <Typography variant="h1">{t("gallery.title")}</Typography>
        <TextField
          select
          size="small"
          label={t("gallery.theme")}
          value={theme}
          onChange={(event) => {
            change("theme", event.target.value);
          }}
          sx={{ minWidth: 180 }}
        >
          {themeNames.map((name) => (
            <MenuItem key={name} value={name}>
              {t(`settings.themes.${name}`)}
            </MenuItem>
          ))}
        </TextField>
        {(["compact", "rtl"] as const).map((name) => (
          <FormControlLabel
            key={name}
            label={t(name === "compact" ? "gallery.density" : "gallery.direction")}
            control={
              <Switch
                checked={search.has(name)}
                onChange={(_, on) => {
                  change(name, on ? "" : null);
                }}
              />
            }
          />
        ))}
      </Box>
      <Box
        component="main"
        sx={{
          p: 3,
          display: "grid",
          gap: 4,
          gridTemplateColumns: "repeat(auto-fill, minmax(min(420px, 100%), 1fr))",
        }}
      >
        {SAMPLES.map(([name, Sample]) => (
          <Box component="section" key={name} aria-labelledby={`gallery-${name}`}>
            <Typography variant="h2" id={`gallery-${name}`} sx={{ mb: 1.5 }}>
              {t(`gallery.${name}`)}
            </Typography>
            <Sample />
          </Box>
        ))}
      </Box>
    </Box>
  );
}
