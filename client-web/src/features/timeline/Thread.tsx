import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import type { OpenMatrix } from "./Body";
import { Timeline } from "./Timeline";

interface Props {
  roomId: string;
  threadId: string;
  onClose: () => void;
  onOpenMatrix?: OpenMatrix;
  /** The composer of the thread, which is a part of its own. */
  children?: ReactNode;
}

/** A thread beside its room. */
export function Thread({ roomId, threadId, onClose, onOpenMatrix, children }: Props) {
  const { t } = useTranslation();
  return (
    <Box sx={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0, minWidth: 0 }}>
      <Box
        sx={(theme) => ({
          display: "flex",
          alignItems: "center",
          height: theme.measures.bar,
          flex: "none",
          paddingInlineStart: 2,
          paddingInlineEnd: 1,
          borderBottom: 1,
          borderColor: "divider",
        })}
      >
        <Typography variant="h2" sx={{ flex: 1 }}>
          {t("timeline.thread")}
        </Typography>
        <IconAction label={t("timeline.closeThread")} onClick={onClose}>
          <CloseIcon fontSize="small" />
        </IconAction>
      </Box>
      <Timeline roomId={roomId} threadId={threadId} {...(onOpenMatrix ? { onOpenMatrix } : {})} />
      {children}
    </Box>
  );
}
