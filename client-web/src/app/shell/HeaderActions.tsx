import Forum from "@mui/icons-material/ForumOutlined";
import PushPin from "@mui/icons-material/PushPinOutlined";
import SearchIcon from "@mui/icons-material/Search";
import Badge from "@mui/material/Badge";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { usePinned } from "../../matrix/pins";
import { written } from "../keyboard/shortcuts";
import type { Panel } from "./usePanel";

interface Props {
  ways: readonly Way[];
  /** The panel that is open. */
  open: string | null;
  onToggle: (panel: Panel) => void;
}

/** A panel, and what leads to it. */
export interface Way {
  readonly what: "pinned" | "threads" | "search";
  readonly label: string;
  readonly icon: ReactNode;
  readonly keys?: string;
}

/** The ways from a conversation into its panels. */
export function useWays(roomId: string): readonly Way[] {
  const { t } = useTranslation();
  const pinned = usePinned(roomId).length;
  const pins: Way = {
    what: "pinned",
    label: `${t("app.panel.pinned")} (${String(pinned)})`,
    icon: (
      <Badge badgeContent={pinned} slotProps={{ badge: { sx: badge } }}>
        <PushPin fontSize="small" />
      </Badge>
    ),
  };
  return [
    ...(pinned > 0 ? [pins] : []),
    { what: "threads", label: t("app.panel.threads"), icon: <Forum fontSize="small" /> },
    {
      what: "search",
      label: t("app.panel.search"),
      icon: <SearchIcon fontSize="small" />,
      keys: written("Mod+F", t),
    },
  ];
}

/** The same as buttons in its header; where they have no room they stand in the room's menu. */
export function HeaderActions({ ways, open, onToggle }: Props) {
  return ways.map(({ what, label, icon, keys }) => (
    <IconAction
      key={what}
      label={label}
      {...(keys ? { keys } : {})}
      aria-expanded={open === what}
      onClick={() => onToggle({ what })}
    >
      {icon}
    </IconAction>
  ));
}

const badge = {
  minWidth: 15,
  height: 15,
  px: "3px",
  fontSize: "0.625rem",
  fontWeight: 700,
  bgcolor: "text.secondary",
  color: "surface.messages",
} as const;
