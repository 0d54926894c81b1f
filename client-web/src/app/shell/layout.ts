import type { SxProps, Theme } from "@mui/material/styles";

/** The panes: the bar on top, the conversations beside the open one; one of both at a time on a narrow screen. */
export const layout = {
  page: {
    height: "100dvh",
    display: "flex",
    flexDirection: "column",
    bgcolor: "surface.sidebar",
    color: "text.primary",
  },
  bar: {
    height: (theme: Theme) => theme.measures.bar,
    flex: "none",
    display: "flex",
    alignItems: "center",
    gap: 1,
    px: { xs: 1, md: 1.5 },
    bgcolor: "surface.sidebar",
    borderBottom: 1,
    borderColor: "divider",
  },
  panes: { flex: 1, minHeight: 0, display: "flex" },
  sidebar: {
    width: { xs: "100%", md: 288 },
    flex: "none",
    minHeight: 0,
    display: "flex",
    flexDirection: "column",
    bgcolor: "surface.sidebar",
    borderInlineEnd: { md: "1px solid" },
    borderColor: { md: "divider" },
  },
  conversation: {
    flex: 1,
    minWidth: 0,
    minHeight: 0,
    display: "flex",
    flexDirection: "column",
    bgcolor: "surface.messages",
  },
} satisfies Record<string, SxProps<Theme>>;
