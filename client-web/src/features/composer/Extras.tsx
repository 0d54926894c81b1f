import GifIcon from "@mui/icons-material/GifBoxOutlined";
import PollIcon from "@mui/icons-material/PollOutlined";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListItemText from "@mui/material/ListItemText";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { later } from "../../i18n/later";
import { usePermission } from "../../matrix/permissions";
import { useOffers } from "../../matrix/policy";
import type { Place } from "../../matrix/send";

const GifPanel = later(() => import("./GifPanel").then((part) => part.GifPanel));
const PollDialog = later(() => import("./PollDialog").then((part) => part.PollDialog));

interface Props {
  place: Place;
  anchor: HTMLElement;
  onClose: () => void;
}

/** What can be sent besides words and files: a menu, then what was chosen in its place. */
export function Extras({ place, anchor, onClose }: Props) {
  const { t } = useTranslation();
  const { gifs } = useOffers();
  const maySendFiles = usePermission("chat.send_files");
  const [chosen, setChosen] = useState<"gif" | "poll" | null>(null);
  if (chosen !== null)
    return (
      <Suspense fallback={null}>
        {chosen === "gif" && <GifPanel place={place} anchor={anchor} onClose={onClose} />}
        {chosen === "poll" && <PollDialog place={place} onClose={onClose} />}
      </Suspense>
    );
  return (
    <Menu
      open
      anchorEl={anchor}
      onClose={onClose}
      anchorOrigin={{ vertical: "top", horizontal: "left" }}
      transformOrigin={{ vertical: "bottom", horizontal: "left" }}
    >
      {gifs && (
        <MenuItem disabled={!maySendFiles} onClick={() => setChosen("gif")}>
          <ListItemIcon>
            <GifIcon fontSize="small" />
          </ListItemIcon>
          <ListItemText
            primary={t("extras.gif")}
            secondary={maySendFiles ? undefined : t("composer.noFiles")}
            sx={{ maxWidth: 280, "& .MuiListItemText-secondary": { whiteSpace: "normal" } }}
          />
        </MenuItem>
      )}
      <MenuItem onClick={() => setChosen("poll")}>
        <ListItemIcon>
          <PollIcon fontSize="small" />
        </ListItemIcon>
        <ListItemText>{t("extras.poll")}</ListItemText>
      </MenuItem>
    </Menu>
  );
}
