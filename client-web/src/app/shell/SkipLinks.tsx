import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { goToRegion } from "../keyboard/regions";

/** The first stops of the Tab key: straight to an area. Seen only while they have the focus. */
export function SkipLinks({ inRoom }: { inRoom: boolean }) {
  const { t } = useTranslation();
  const places = inRoom ? (["rooms", "timeline", "composer"] as const) : (["rooms"] as const);
  return (
    <Box component="nav" aria-label={t("app.skip.title")}>
      {places.map((place) => (
        <Box
          component="a"
          key={place}
          href={`#region-${place}`}
          onClick={(event) => {
            event.preventDefault();
            goToRegion(place);
          }}
          sx={{
            position: "fixed",
            top: -100,
            insetInlineStart: 8,
            zIndex: "tooltip",
            px: 2,
            py: 1,
            borderRadius: 1,
            bgcolor: "surface.raised",
            color: "accentText",
            border: 1,
            borderColor: "border.control",
            "&:focus": { top: 8 },
          }}
        >
          {t(`app.skip.${place}`)}
        </Box>
      ))}
    </Box>
  );
}
