import Box from "@mui/material/Box";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import { isolated } from "../../i18n/direction";
import { useTyping } from "../../matrix/timeline";

/**
 * Who is typing. The line is always there, so that nothing moves when somebody begins. Not drawn with the messages: it looks at
 * everybody in the room.
 */
export const TypingLine = memo(function TypingLine({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const [a, b, ...more] = useTyping(roomId).map((name) => isolated(name));
  let text = "";
  if (a !== undefined) {
    if (b === undefined) text = t("timeline.typingOne", { a });
    else text = more.length === 0 ? t("timeline.typingTwo", { a, b }) : t("timeline.typingMany");
  }
  return (
    <Box
      data-testid="typing"
      sx={{
        height: 22,
        px: 2,
        paddingInlineStart: "64px",
        typography: "caption",
        lineHeight: "22px",
        color: "text.secondary",
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
      }}
    >
      {text}
    </Box>
  );
});
