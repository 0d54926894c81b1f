import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";

import { Keys } from "../../components/Keys";
import { Sheet } from "../../components/Sheet";
import { written } from "../keyboard/shortcuts";

const GROUPS: { name: string; keys: [keys: string[], text: string][] }[] = [
  {
    name: "app.keys.everywhere",
    keys: [
      [["Mod+K"], "app.keys.switcher"],
      [["Mod+/"], "app.keys.help"],
      [["Mod+,"], "app.keys.settings"],
      [["F6"], "app.keys.region"],
      [["Alt+ArrowUp", "Alt+ArrowDown"], "app.keys.room"],
      [["Alt+Shift+ArrowUp", "Alt+Shift+ArrowDown"], "app.keys.unread"],
      [["Esc"], "app.keys.escape"],
    ],
  },
  {
    name: "app.keys.conversation",
    keys: [
      [["Enter"], "app.keys.send"],
      [["Shift+Enter"], "app.keys.line"],
      [["ArrowUp"], "app.keys.editLast"],
      [["Mod+B"], "app.keys.bold"],
      [["Mod+I"], "app.keys.italic"],
      [["Mod+E"], "app.keys.code"],
    ],
  },
  {
    name: "app.keys.message",
    keys: [
      [["ArrowUp", "ArrowDown"], "app.keys.move"],
      [["E"], "app.keys.edit"],
      [["R"], "app.keys.reply"],
      [["T"], "app.keys.thread"],
      [["Del"], "app.keys.delete"],
    ],
  },
];

/** All keys. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Sheet title={t("app.keys.title")} onClose={onClose} width="sm">
      <Box sx={{ columns: { sm: 2 }, columnGap: 5, pb: 1 }}>
        {GROUPS.map((group) => (
          <Box key={group.name} component="section" sx={{ breakInside: "avoid", mb: 2.5 }}>
            <Typography variant="h3" component="h3" sx={{ mb: 0.75 }}>
              {t(group.name)}
            </Typography>
            <Box
              component="dl"
              sx={{ m: 0, display: "grid", gridTemplateColumns: "1fr auto", rowGap: 0.75, columnGap: 2 }}
            >
              {group.keys.map(([keys, text]) => (
                <Fragment key={text}>
                  <Typography component="dt" variant="body2" sx={{ color: "text.secondary" }}>
                    {t(text)}
                  </Typography>
                  <Box
                    component="dd"
                    sx={{ m: 0, display: "flex", flexDirection: "column", gap: 0.5, alignItems: "flex-end" }}
                  >
                    {keys.map((one) => (
                      <Keys key={one} keys={written(one)} />
                    ))}
                  </Box>
                </Fragment>
              ))}
            </Box>
          </Box>
        ))}
      </Box>
    </Sheet>
  );
}
