import Box from "@mui/material/Box";
import { hidden } from "./hidden";
import { useTranslation } from "react-i18next";

/** How reachable somebody is. */
export type Presence = "online" | "away" | "busy" | "offline";

interface Props {
  presence: Presence;
  size?: number;
  /** What the dot stands on, to cut it out of a picture below. */
  on?: "sidebar" | "messages" | "raised";
  /** The state is said elsewhere. */
  silent?: boolean;
}

/** A mark for presence: each state has its own shape besides its colour, and its name for screen readers. */
export function PresenceDot({ presence, size = 10, on, silent = false }: Props) {
  const { t } = useTranslation();
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        flex: "none",
        borderRadius: "50%",
        ...(on && { bgcolor: `surface.${on}`, p: "2px" }),
      }}
    >
      <Box
        component="svg"
        viewBox="0 0 12 12"
        aria-hidden
        sx={{ width: size, height: size, color: `presence.${presence}`, display: "block" }}
      >
        {shapes[presence]}
      </Box>
      {!silent && (
        <Box component="span" sx={hidden}>
          {t(`common.presence.${presence}`)}
        </Box>
      )}
    </Box>
  );
}

const shapes: Record<Presence, React.ReactNode> = {
  online: <circle cx="6" cy="6" r="6" fill="currentColor" />,
  away: <path d="M5 .1A6 6 0 1 0 11.9 7 5 5 0 0 1 5 .1Z" fill="currentColor" />,
  busy: (
    <path
      d="M6 0a6 6 0 1 0 0 12A6 6 0 0 0 6 0ZM2.7 4.9h6.600v2.200H2.7Z"
      fill="currentColor"
      fillRule="evenodd"
    />
  ),
  offline: <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="2.5" />,
};
