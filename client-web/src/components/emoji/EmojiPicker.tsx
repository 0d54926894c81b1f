import Box from "@mui/material/Box";
import { EmojiPicker as Picker } from "frimousse";
import { useTranslation } from "react-i18next";

/** All emoji with a search field; names and keywords come from our own server. */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <Box
      component={Picker.Root}
      locale={i18n.language === "de" ? "de" : "en"}
      emojibaseUrl="/emoji"
      columns={9}
      onEmojiSelect={({ emoji }: { emoji: string }) => onPick(emoji)}
      sx={{
        display: "flex",
        flexDirection: "column",
        height: "100%",
        "& [frimousse-viewport]": { flex: 1, position: "relative", outline: "none", overflowY: "auto" },
        "& [frimousse-search]": {
          m: 1,
          px: 1.25,
          py: 0.875,
          font: "inherit",
          color: "text.primary",
          bgcolor: "surface.input",
          border: 1,
          borderColor: "border.control",
          borderRadius: "8px",
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 1 },
        },
        "& [frimousse-category-header]": {
          px: 1.5,
          py: 0.5,
          typography: "caption",
          fontWeight: 600,
          color: "text.secondary",
          bgcolor: "surface.raised",
        },
        "& [frimousse-row]": { px: 1, display: "flex" },
        "& [frimousse-emoji]": {
          all: "unset",
          width: 34,
          height: 34,
          display: "grid",
          placeItems: "center",
          fontSize: "1.25rem",
          borderRadius: "6px",
          cursor: "pointer",
          "&[data-active]": { bgcolor: "surface.selected" },
        },
      }}
    >
      <Picker.Search autoFocus aria-label={t("common.findEmoji")} placeholder={t("common.findEmoji")} />
      <Picker.Viewport>
        <Picker.Loading />
        <Picker.Empty>{t("common.noEmoji")}</Picker.Empty>
        <Picker.List aria-label={t("common.emoji")} />
      </Picker.Viewport>
    </Box>
  );
}
