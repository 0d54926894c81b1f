import Warning from "@mui/icons-material/GppMaybeOutlined";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { IconAction } from "../../components/IconAction";
import { useDoubt } from "../../matrix/encryption/doubts";
import type { TimelineEvent } from "../../matrix/events";

/** That it is not sure who wrote an encrypted message, and why. */
export function DoubtMark({ event, active }: { event: TimelineEvent; active: boolean }) {
  const { t } = useTranslation();
  const doubt = useDoubt(event);
  if (!doubt) return null;
  const why = t(`security.doubt.${doubt}`);
  return (
    <IconAction
      label={why}
      tabIndex={active ? 0 : -1}
      onClick={() => tell(why)}
      sx={{
        width: 24,
        height: 24,
        my: "-2px",
        flex: "none",
        color: "warning.main",
        // As high as a thumb needs, and the row no higher for it.
        "@media (pointer: coarse)": { my: "-12px" },
      }}
    >
      <Warning sx={{ fontSize: 16 }} />
    </IconAction>
  );
}
