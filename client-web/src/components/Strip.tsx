import Close from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "./Announcer";
import { IconAction } from "./IconAction";

interface Props {
  icon: ReactNode;
  text: string;
  /** What one can do about it. */
  actions?: ReactNode;
  onDismiss?: () => void;
}

/** A line above the panes that tells something of the whole page; it covers nothing. */
export function Strip({ icon, text, actions, onDismiss }: Props) {
  const { t } = useTranslation();
  useAnnounced(text);
  return (
    <Box
      sx={{
        flex: "none",
        display: "flex",
        alignItems: "center",
        justifyContent: "center",
        flexWrap: "wrap",
        columnGap: 1.25,
        position: "relative",
        // What needs several lines on a narrow screen does not begin at its edge.
        py: { xs: 1, sm: 0.5 },
        paddingInlineStart: 2,
        paddingInlineEnd: 6,
        minHeight: 44,
        fontSize: "0.8125rem",
        bgcolor: "surface.selected",
        borderBottom: 1,
        borderColor: "divider",
        color: "text.primary",
        "& svg": { fontSize: 18 },
      }}
    >
      <Box aria-hidden sx={{ display: "flex", color: "accentText" }}>
        {icon}
      </Box>
      <Box component="span" sx={{ maxWidth: { xs: "calc(100% - 40px)", sm: "none" }, textWrap: "balance" }}>
        {text}
      </Box>
      {actions && <Box sx={{ display: "flex", gap: 0.5 }}>{actions}</Box>}
      {onDismiss && (
        <Box sx={{ position: "absolute", insetInlineEnd: 6, top: 4 }}>
          <IconAction label={t("common.close")} onClick={onDismiss}>
            <Close />
          </IconAction>
        </Box>
      )}
    </Box>
  );
}
