import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { PanelHeader } from "../../components/PanelHeader";
import type { OpenMatrix } from "./Body";
import { Timeline } from "./Timeline";

interface Props {
  roomId: string;
  threadId: string;
  /** Opens around this message of it. */
  at?: string | null;
  /** The address of a message. */
  linkTo?: (eventId: string) => string;
  onClose: () => void;
  onOpenMatrix?: OpenMatrix;
  /** The composer of the thread, which is a part of its own. */
  children?: ReactNode;
}

/** A thread beside its room. */
export function Thread({ roomId, threadId, at = null, linkTo, onClose, onOpenMatrix, children }: Props) {
  const { t } = useTranslation();
  return (
    <Box sx={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0, minWidth: 0 }}>
      <PanelHeader title={t("timeline.thread")} closeLabel={t("timeline.closeThread")} onClose={onClose} />
      <Timeline
        roomId={roomId}
        threadId={threadId}
        focusEventId={at}
        {...(onOpenMatrix && { onOpenMatrix })}
        {...(linkTo && { linkTo })}
      />
      {children}
    </Box>
  );
}
