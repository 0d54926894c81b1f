import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";

import { PersonAvatar } from "../../components/PersonAvatar";
import { clock } from "../../i18n/times";

/** A header and two messages as they look now: the whole page tries a theme as soon as it is chosen. */
export function ThemePreview() {
  const { t, i18n } = useTranslation();
  const { measures } = useTheme();
  const at = (minute: number) => clock(new Date(2025, 7, 24, 14, minute).getTime(), i18n.language);
  const messages: [string, string, string, number][] = [
    ["@boris", t("settings.preview.author"), t("settings.preview.first"), 15],
    ["@you", t("settings.preview.you"), t("settings.preview.second"), 16],
  ];
  return (
    <Box
      data-testid="theme-preview"
      sx={{
        borderRadius: 1.25,
        overflow: "hidden",
        border: 1,
        borderColor: "divider",
        bgcolor: "surface.messages",
        color: "text.primary",
      }}
    >
      <Box
        sx={{
          display: "flex",
          px: 2,
          py: 1,
          borderBottom: 1,
          borderColor: "divider",
          bgcolor: "surface.sidebar",
        }}
      >
        <Typography variant="h3" component="div" sx={{ flex: 1 }}>
          <Box component="span" sx={{ color: "text.secondary" }}>
            #{" "}
          </Box>
          {t("settings.preview.room")}
        </Typography>
        <Typography variant="caption" sx={{ color: "text.secondary" }}>
          {t("settings.preview.author")} · {at(15)}
        </Typography>
      </Box>
      <Box sx={{ p: 2, display: "flex", flexDirection: "column", gap: `${String(measures.messageGap)}px` }}>
        {messages.map(([id, name, text, minute]) => (
          <Box key={id} sx={{ display: "flex", gap: 1.25 }}>
            <PersonAvatar id={id} name={name} size={measures.avatar} />
            <Box>
              <Box sx={{ display: "flex", gap: 1, alignItems: "baseline" }}>
                <Typography variant="h3" component="span">
                  {name}
                </Typography>
                <Typography variant="caption" sx={{ color: "text.secondary" }}>
                  {at(minute)}
                </Typography>
              </Box>
              <Typography>{text}</Typography>
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
