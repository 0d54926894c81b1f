import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import { useReactions, type TimelineEvent } from "../../matrix/events";

/** Who reacted to a message, and with what. */
export function ReactionsDialog({ event, onClose }: { event: TimelineEvent; onClose: () => void }) {
  const { t } = useTranslation();
  const reactions = useReactions(event);
  return (
    <Sheet title={t("messages.reactions")} onClose={onClose} width="xs" toRead>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, pb: 1 }}>
        {reactions.map(({ emoji, count, names }) => (
          <Box component="li" key={emoji} sx={{ display: "flex", gap: 1.5, py: 1, alignItems: "flex-start" }}>
            <Box sx={{ flex: "none", minWidth: 56, fontSize: "1.25rem", lineHeight: 1.3 }}>
              {emoji}{" "}
              <Box component="span" sx={{ typography: "caption", color: "text.secondary" }}>
                {count}
              </Box>
            </Box>
            <Box dir="auto" sx={{ pt: "3px", overflowWrap: "anywhere" }}>
              {names.join(", ")}
            </Box>
          </Box>
        ))}
      </Box>
    </Sheet>
  );
}
