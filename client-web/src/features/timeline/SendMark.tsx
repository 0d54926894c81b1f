import DoneIcon from "@mui/icons-material/Done";
import DoneAllIcon from "@mui/icons-material/DoneAll";
import ScheduleIcon from "@mui/icons-material/Schedule";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { hidden } from "../../components/hidden";
import type { MessageView, TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { discard, resend } from "../../matrix/send";
import { readersOf, useReadByAll } from "../../matrix/timeline";

/** One tick: the server has it; two: everybody has read it. A clock while it is on its way. */
export function SendMark({ event, message }: { event: TimelineEvent; message: MessageView }) {
  const { t } = useTranslation();
  const client = useClient();
  const all = useReadByAll(event);
  const [readers, setReaders] = useState<readonly string[] | null>(null);
  if (message.send !== "sent" || message.change !== "sent") {
    return (
      <Box
        component="span"
        title={t("timeline.sending")}
        sx={{ color: "text.secondary", display: "inline-flex" }}
      >
        <ScheduleIcon aria-hidden sx={{ fontSize: 14 }} />
        <Box component="span" sx={hidden}>
          {t("timeline.sending")}
        </Box>
      </Box>
    );
  }
  const names =
    readers && readers.length > 0
      ? t("timeline.readBy", { names: readers.slice(0, 20).join(", ") })
      : t("timeline.readByNobody");
  return (
    <Box
      component="span"
      data-tip={names}
      onPointerEnter={() => setReaders(readersOf(client, event))}
      data-ticks={all ? 2 : 1}
      sx={{ color: all ? "accentText" : "text.secondary", display: "inline-flex" }}
    >
      {all ? (
        <DoneAllIcon aria-hidden sx={{ fontSize: 15 }} />
      ) : (
        <DoneIcon aria-hidden sx={{ fontSize: 15 }} />
      )}
      <Box component="span" sx={hidden}>
        {all ? t("timeline.readByAll") : t("timeline.delivered")}
      </Box>
    </Box>
  );
}

/** What became of a message that could not be sent, and what one can do. */
export function SendTrouble({ event, message }: { event: TimelineEvent; message: MessageView }) {
  const { t } = useTranslation();
  const client = useClient();
  const changing = message.send === "sent";
  const state = changing ? message.change : message.send;
  if (state !== "failed" && state !== "waiting") return null;
  const failed = state === "failed";
  const trouble = t(changing ? "timeline.notChanged" : "timeline.notSent");
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 0.5,
        typography: "body2",
        color: failed ? "dangerText" : "text.secondary",
      }}
    >
      <span>{failed ? [trouble, message.error].filter(Boolean).join(": ") : t("timeline.waiting")}</span>
      <Button size="small" onClick={() => resend(client, event)}>
        {t("timeline.retry")}
      </Button>
      <Button size="small" color="error" onClick={() => discard(client, event)}>
        {t(changing ? "timeline.discardChange" : "timeline.discard")}
      </Button>
    </Box>
  );
}
