import Box from "@mui/material/Box";
import useMediaQuery from "@mui/material/useMediaQuery";
import { EmojiPicker as Picker } from "frimousse";
import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";

interface Emoji extends ComponentProps<"button"> {
  readonly emoji: { readonly emoji: string };
}

/** Places count from one in ARIA and from zero in the library, which finds its rows by that number: only the first goes without. */
const PARTS = {
  Row: (props: ComponentProps<"div">) => (
    <div {...props} aria-rowindex={props["aria-rowindex"] || undefined} />
  ),
  Emoji: ({ emoji, ...props }: Emoji) => (
    <button type="button" {...props} aria-colindex={Number(props["aria-colindex"] ?? 0) + 1}>
      {emoji.emoji}
    </button>
  ),
};

/** All emoji with a search field; names and keywords come from our own server. */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t, i18n } = useTranslation();
  // As large as a finger, and as many as fit beside each other then.
  const touched = useMediaQuery("(pointer: coarse)", { noSsr: true });
  const narrow = useMediaQuery("(max-width: 359.95px)", { noSsr: true });
  const size = touched ? 44 : 34;
  return (
    <Box
      component={Picker.Root}
      locale={i18n.language === "de" ? "de" : "en"}
      emojibaseUrl="/emoji"
      columns={touched ? (narrow ? 6 : 7) : 9}
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
          minHeight: touched ? 44 : undefined,
          font: "inherit",
          color: "text.primary",
          bgcolor: "surface.input",
          border: 1,
          borderColor: "border.control",
          borderRadius: "8px",
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: "-1px" },
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
          width: size,
          height: size,
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
      <Picker.Viewport tabIndex={0} aria-label={t("common.emoji")} role="group">
        <Picker.Loading />
        <Picker.Empty>{t("common.noEmoji")}</Picker.Empty>
        <Picker.List aria-label={t("common.emoji")} components={PARTS} />
      </Picker.Viewport>
    </Box>
  );
}
