import AddIcon from "@mui/icons-material/Add";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import type { Dialogs } from "./useDialogs";

/** Begins something new in a section of the room list. */
export function Begin({ section, dialogs }: { section: string; dialogs: Dialogs }) {
  const { t } = useTranslation();
  if (section === "invites") return null;
  const channels = section === "channels";
  return (
    <IconAction
      label={t(channels ? "rooms.browse" : "rooms.newChat")}
      onClick={() => dialogs.show(channels ? "channels" : "new")}
      sx={{ width: 26, height: 26, borderRadius: "6px" }}
    >
      <AddIcon sx={{ fontSize: 17 }} />
    </IconAction>
  );
}
