import AddReactionIcon from "@mui/icons-material/AddReactionOutlined";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import { useTranslation } from "react-i18next";

import { useReactions, type TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { toggleReaction } from "../../matrix/send";

const chip = {
  height: 26,
  minWidth: 34,
  px: 0.875,
  gap: 0.5,
  borderRadius: "13px",
  border: 1,
  borderColor: "divider",
  bgcolor: "surface.code",
  fontSize: "0.8125rem",
  fontVariantNumeric: "tabular-nums",
  // As large as a finger without being as large to the eye.
  "@media (pointer: coarse)": {
    position: "relative",
    height: 32,
    minWidth: 44,
    borderRadius: "16px",
    "&::after": { content: '""', position: "absolute", inset: "-7px 0" },
  },
  "&:hover": { borderColor: "border.control" },
  "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 1 },
} as const;

/** The emoji under a message; a press adds one's own or takes it back. */
export function Reactions({ event, onAdd }: { event: TimelineEvent; onAdd: (anchor: HTMLElement) => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const reactions = useReactions(event);
  if (reactions.length === 0) return null;
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        gap: 0.5,
        mt: 0.5,
        // Rows of them do not reach into each other.
        "@media (pointer: coarse)": { rowGap: "12px", my: "6px" },
      }}
    >
      {reactions.map(({ emoji, count, names, own }) => {
        const who = t("timeline.reactionBy", { names: names.slice(0, 12).join(", "), emoji });
        return (
          <ButtonBase
            key={emoji}
            data-tip={who}
            aria-pressed={own !== null}
            aria-label={`${who} (${String(count)})`}
            onClick={() => toggleReaction(client, event, emoji, own)}
            sx={{
              ...chip,
              ...(own !== null && {
                borderColor: "primary.main",
                bgcolor: "surface.selected",
                color: "accentText",
                fontWeight: 600,
              }),
            }}
          >
            <span>{emoji}</span>
            <span>{count}</span>
          </ButtonBase>
        );
      })}
      <ButtonBase
        aria-label={t("timeline.addReaction")}
        onClick={(press) => onAdd(press.currentTarget)}
        sx={{ ...chip, color: "text.secondary" }}
      >
        <AddReactionIcon sx={{ fontSize: 16 }} />
      </ButtonBase>
    </Box>
  );
}
