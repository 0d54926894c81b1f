import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import type { ReactNode } from "react";

interface LineProps {
  icon: ReactNode;
  text?: string;
  danger?: boolean;
  onClick: () => void;
  children: ReactNode;
}

/** An act, with a sentence about what follows from it. */
export function Line({ icon, text, danger = false, onClick, children }: LineProps) {
  return (
    <ButtonBase
      onClick={onClick}
      sx={{
        justifyContent: "flex-start",
        textAlign: "start",
        gap: 1.25,
        px: 1,
        py: 0.75,
        minHeight: 40,
        borderRadius: "8px",
        color: danger ? "dangerText" : "text.primary",
        "& svg": { fontSize: 19, color: danger ? "dangerText" : "text.secondary" },
        "&:hover": { bgcolor: "surface.hover" },
        "@media (pointer: coarse)": { minHeight: 44 },
      }}
    >
      {icon}
      <Box>
        <Box sx={{ fontSize: "0.875rem", fontWeight: 550 }}>{children}</Box>
        {text && <Box sx={{ typography: "caption", color: "text.secondary" }}>{text}</Box>}
      </Box>
    </ButtonBase>
  );
}
