import Check from "@mui/icons-material/Check";
import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { hidden } from "../../components/hidden";
import { rolesOf } from "../../theme/roles";
import { painted, type PaintedTheme, type ThemeName, themes } from "../../theme/themes";

interface Props {
  value: ThemeName;
  available: readonly ThemeName[];
  onChange: (theme: ThemeName) => void;
}

/** The themes as small pictures of themselves; a group of radio buttons for keyboards and screen readers. */
export function ThemePicker({ value, available, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <Box component="fieldset" sx={{ border: 0, p: 0, m: 0, mb: 3.5, minWidth: 0 }}>
      <Box component="legend" sx={{ typography: "h3", mb: 1, p: 0 }}>
        {t("settings.themes.title")}
      </Box>
      <Box
        sx={{
          display: "grid",
          gap: 1.25,
          gridTemplateColumns: { xs: "repeat(2, 1fr)", sm: "repeat(3, 1fr)" },
        }}
      >
        {available.map((name) => (
          <Box
            component="label"
            key={name}
            sx={{
              display: "block",
              cursor: "pointer",
              borderRadius: 1.25,
              border: 2,
              borderColor: name === value ? "focus" : "border.subtle",
              overflow: "hidden",
              "&:has(:focus-visible)": {
                outline: (theme) => `${theme.highContrast ? "3" : "2"}px solid ${theme.palette.focus}`,
                outlineOffset: 2,
              },
            }}
          >
            <Box
              component="input"
              type="radio"
              name="theme"
              value={name}
              checked={name === value}
              onChange={() => {
                onChange(name);
              }}
              sx={hidden}
            />
            <Sample name={name} />
            <Box
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 0.5,
                px: 1,
                minHeight: 32,
                fontSize: "0.8125rem",
                fontWeight: name === value ? 650 : 500,
              }}
            >
              <Box component="span" sx={{ flex: 1 }}>
                {t(`settings.themes.${name}`)}
              </Box>
              {name === value && <Check aria-hidden sx={{ fontSize: 16, color: "accentText" }} />}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}

function Sample({ name }: { name: ThemeName }) {
  if (name !== "auto") return <Half name={name} />;
  return (
    <Box sx={{ display: "flex", "& > *": { flex: 1, minWidth: 0 } }}>
      <Half name={painted("auto", false)} />
      <Half name={painted("auto", true)} />
    </Box>
  );
}

function Half({ name }: { name: PaintedTheme }) {
  const { surface, text, fill } = rolesOf(themes[name]);
  const line = (colour: string, width: string) => (
    <Box sx={{ height: 5, width, borderRadius: 3, backgroundColor: colour }} />
  );
  return (
    <Box
      aria-hidden
      // Also where the system chooses the colours, a theme is shown as it is.
      sx={{ display: "flex", height: 64, backgroundColor: surface.messages, forcedColorAdjust: "none" }}
    >
      <Box
        sx={{
          width: "32%",
          backgroundColor: surface.sidebar,
          p: "8px 6px",
          display: "flex",
          flexDirection: "column",
          gap: "5px",
        }}
      >
        {line(text.secondary, "70%")}
        {line(fill.accent, "90%")}
        {line(text.secondary, "55%")}
      </Box>
      <Box
        sx={{
          flex: 1,
          p: 1,
          display: "flex",
          flexDirection: "column",
          gap: "6px",
          justifyContent: "flex-end",
        }}
      >
        {line(text.primary, "80%")}
        {line(text.secondary, "52%")}
        <Box
          sx={{
            height: 13,
            borderRadius: "4px",
            border: `1px solid ${surface.selected}`,
            backgroundColor: surface.input,
          }}
        />
      </Box>
    </Box>
  );
}
