import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import { IconAction } from "./IconAction";

interface Props {
  readonly title: string;
  /** What the button that closes the panel is called. */
  readonly closeLabel: string;
  readonly onClose: () => void;
}

/** The top of a panel beside a conversation. */
export function PanelHeader({ title, closeLabel, onClose }: Props) {
  return (
    <Box
      sx={(theme) => ({
        display: "flex",
        alignItems: "center",
        height: theme.measures.bar,
        flex: "none",
        paddingInlineStart: 2,
        paddingInlineEnd: 1,
        borderBottom: 1,
        borderColor: "divider",
      })}
    >
      <Typography variant="h2" sx={{ flex: 1 }}>
        {title}
      </Typography>
      <IconAction label={closeLabel} onClick={onClose}>
        <CloseIcon fontSize="small" />
      </IconAction>
    </Box>
  );
}
