import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { absolute, complete } from "../i18n/times";
import { PersonAvatar } from "./PersonAvatar";

interface Props {
  /** Who said it: decides the colour of the picture. */
  sender: string;
  name: string;
  picture?: string | undefined;
  time: number;
  text: ReactNode;
  /** Where it was said. */
  where?: ReactNode;
  /** What is below the text. */
  below?: ReactNode;
  /** What a press does, in words. */
  label: string;
  onOpen?: (() => void) | undefined;
  /** More that can be done with it. */
  actions?: ReactNode;
}

/** A message in a list of messages from here and there. */
export function MessageCard({
  sender,
  name,
  picture,
  time,
  text,
  where,
  below,
  label,
  onOpen,
  actions,
}: Props) {
  const { i18n } = useTranslation();
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        alignItems: "flex-start",
        borderRadius: "8px",
        "&:hover, &:focus-within": { bgcolor: onOpen ? "surface.hover" : undefined },
      }}
    >
      <ButtonBase
        component={onOpen ? "button" : "div"}
        disabled={!onOpen}
        onClick={onOpen}
        aria-label={onOpen ? label : undefined}
        sx={{
          flex: 1,
          minWidth: 0,
          display: "flex",
          alignItems: "flex-start",
          justifyContent: "flex-start",
          gap: 1.25,
          px: 1.25,
          py: 1,
          borderRadius: "8px",
          textAlign: "start",
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: -2 },
        }}
      >
        <PersonAvatar id={sender} name={name} src={picture} size={32} />
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, minWidth: 0 }}>
            <Box
              component="span"
              dir="auto"
              sx={{ fontWeight: 650, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
            >
              {name}
            </Box>
            <Box
              component="time"
              dateTime={new Date(time).toISOString()}
              title={complete(time, i18n.language)}
              sx={{ flex: "none", typography: "caption", color: "text.secondary" }}
            >
              {absolute(time, i18n.language)}
            </Box>
          </Box>
          {where && (
            <Box
              dir="auto"
              sx={{
                typography: "caption",
                color: "text.secondary",
                overflow: "hidden",
                textOverflow: "ellipsis",
                whiteSpace: "nowrap",
              }}
            >
              {where}
            </Box>
          )}
          <Box
            dir="auto"
            sx={{
              typography: "body2",
              overflowWrap: "anywhere",
              display: "-webkit-box",
              WebkitLineClamp: "4",
              WebkitBoxOrient: "vertical",
              overflow: "hidden",
            }}
          >
            {text}
          </Box>
          {below}
        </Box>
      </ButtonBase>
      {actions && <Box sx={{ flex: "none", display: "flex", p: 0.5 }}>{actions}</Box>}
    </Box>
  );
}
