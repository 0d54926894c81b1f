import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import type { TimelineEvent } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { reportMessage } from "../../matrix/moderation";
import { ReasonDialog } from "../../shared/ReasonDialog";

/** Tells whoever runs the server about a message. */
export function ReportDialog({ event, onClose }: { event: TimelineEvent; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  return (
    <ReasonDialog
      title={t("people.reportMessage")}
      text={t("people.reportMessageText")}
      label={t("people.reportLabel")}
      action={t("people.reportAction")}
      required
      onClose={onClose}
      onAct={async (reason) => {
        await reportMessage(client, event.getRoomId() ?? "", event.getId() ?? "", reason);
        tell(t("people.done.report"));
      }}
    />
  );
}
