import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import { useTranslation } from "react-i18next";

import { PersonAvatar } from "../../components/PersonAvatar";
import type { Nameable } from "./compose";

interface Props {
  id: string;
  items: readonly Nameable[];
  active: number;
  onPick: (item: Nameable) => void;
}

/** Names that fit what is being typed, above the field. */
export function Suggestions({ id, items, active, onPick }: Props) {
  const { t } = useTranslation();
  return (
    <Paper
      elevation={4}
      role="listbox"
      id={id}
      aria-label={t("composer.suggestions")}
      sx={{
        position: "absolute",
        bottom: "100%",
        insetInlineStart: 12,
        mb: 0.5,
        width: 320,
        maxWidth: "calc(100% - 24px)",
        py: 0.5,
        zIndex: 5,
        border: 1,
        borderColor: "divider",
        borderRadius: "10px",
      }}
    >
      {items.map((item, index) => (
        <Box
          key={item.id}
          id={`${id}-${String(index)}`}
          role="option"
          aria-selected={index === active}
          onMouseDown={(press) => {
            // The field keeps the focus.
            press.preventDefault();
            onPick(item);
          }}
          sx={{
            display: "flex",
            alignItems: "center",
            gap: 1,
            px: 1.5,
            py: 0.625,
            cursor: "pointer",
            "@media (pointer: coarse)": { minHeight: 44 },
            bgcolor: index === active ? "surface.selected" : undefined,
            "&:hover": { bgcolor: "surface.hover" },
          }}
        >
          {item.id.startsWith("@") ? (
            <PersonAvatar name={item.name} id={item.id} size={22} />
          ) : (
            <TagIcon aria-hidden sx={{ fontSize: 18, color: "text.secondary" }} />
          )}
          <Box
            component="span"
            dir="auto"
            sx={{ fontWeight: 550, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
          >
            {item.name}
          </Box>
          <Box
            component="span"
            sx={{
              typography: "caption",
              color: "text.secondary",
              overflow: "hidden",
              textOverflow: "ellipsis",
              whiteSpace: "nowrap",
            }}
          >
            {item.id === "@room" ? t("composer.everybody") : item.id.startsWith("!") ? "" : item.id}
          </Box>
        </Box>
      ))}
    </Paper>
  );
}
