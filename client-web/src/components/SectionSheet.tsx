import Box from "@mui/material/Box";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useId, type ReactElement, type ReactNode } from "react";

import { Sheet } from "./Sheet";

/** A section of a dialog. */
export interface Section<Name extends string> {
  readonly name: Name;
  readonly label: string;
  readonly icon: ReactElement;
  /** Drawn when the section is shown. */
  readonly draw: () => ReactNode;
}

interface Props<Name extends string> {
  title: string;
  /** What the list of sections is called. */
  label: string;
  sections: readonly Section<Name>[];
  /** The section that is shown; the first, if there is none of that name. */
  shown: string;
  onShow: (name: Name) => void;
  actions?: ReactNode;
  onClose: () => void;
}

/** A dialog in sections: listed at its side, above them on a narrow screen. */
export function SectionSheet<Name extends string>({
  title,
  label,
  sections,
  shown,
  onShow,
  actions,
  onClose,
}: Props<Name>) {
  const theme = useTheme();
  const narrow = useMediaQuery(theme.breakpoints.down("sm"));
  const id = useId();
  const section = sections.find(({ name }) => name === shown) ?? sections[0];
  if (!section) return null;
  return (
    <Sheet title={title} onClose={onClose} width="md" bare actions={actions}>
      <Box
        sx={{
          display: "flex",
          flexDirection: { xs: "column", sm: "row" },
          flex: { xs: 1, sm: "0 1 560px" },
          minHeight: 0,
          ...(actions ? { borderBottom: 1, borderColor: "divider" } : {}),
        }}
      >
        <Tabs
          orientation={narrow ? "horizontal" : "vertical"}
          variant="scrollable"
          value={section.name}
          onChange={(_, to: Name) => onShow(to)}
          aria-label={label}
          slotProps={{ indicator: { sx: { display: "none" } } }}
          sx={{
            flex: "none",
            width: { sm: 208 },
            p: 1,
            minHeight: 0,
            borderInlineEnd: { sm: "1px solid" },
            borderBottom: { xs: 1, sm: 0 },
            borderColor: { xs: "divider", sm: "divider" },
            bgcolor: "surface.sidebar",
          }}
        >
          {sections.map((one) => (
            <Tab
              key={one.name}
              value={one.name}
              id={`${id}-tab-${one.name}`}
              aria-controls={`${id}-${one.name}`}
              icon={one.icon}
              iconPosition="start"
              label={one.label}
              sx={{
                justifyContent: "flex-start",
                textAlign: "start",
                borderRadius: 1,
                gap: 1,
                px: 1.25,
                minHeight: 38,
                "& svg": { fontSize: 19 },
                "&.Mui-selected": { bgcolor: "surface.selected" },
                "&:hover": { bgcolor: "surface.sidebarHover" },
                "&.Mui-focusVisible": { outlineOffset: -2 },
              }}
            />
          ))}
        </Tabs>
        <Box
          role="tabpanel"
          id={`${id}-${section.name}`}
          aria-labelledby={`${id}-tab-${section.name}`}
          tabIndex={0}
          sx={{
            flex: 1,
            minWidth: 0,
            overflow: "auto",
            p: { xs: 2, sm: 3 },
            "&:focus-visible": { outlineOffset: -2 },
          }}
        >
          {section.draw()}
        </Box>
      </Box>
    </Sheet>
  );
}
