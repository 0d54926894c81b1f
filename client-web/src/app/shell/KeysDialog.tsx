import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";

import { Keys } from "../../components/Keys";
import { Sheet } from "../../components/Sheet";
import { written } from "../keyboard/shortcuts";

const GROUPS: { name: string; keys: [keys: string[], text: string][] }[] = [
  {
    name: "app.keys.everywhere",
    keys: [
      [["Mod+K"], "app.keys.switcher"],
      [["Mod+Shift+F"], "app.keys.searchAll"],
      [["Mod+F"], "app.keys.search"],
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
      [["Mod+Shift+C"], "app.keys.codeBlock"],
    ],
  },
  {
    name: "app.keys.message",
    keys: [
      [["ArrowUp", "ArrowDown"], "app.keys.move"],
      [["Home", "End"], "app.keys.ends"],
      [["Enter"], "app.keys.into"],
      [["E"], "app.keys.edit"],
      [["R"], "app.keys.reply"],
      [["T"], "app.keys.thread"],
      [["+"], "app.keys.react"],
      [["M"], "app.keys.more"],
      [["Del"], "app.keys.delete"],
    ],
  },
];

/** Single keys stand side by side, those pressed together below each other. */
const pressed = (keys: string[]) => (keys.some((one) => one.includes("+") && one !== "+") ? "column" : "row");

/** All keys. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Sheet title={t("app.keys.title")} onClose={onClose} width="md" toRead>
      <Box sx={{ columns: { sm: 2 }, columnGap: 5, pb: 1 }}>
        {GROUPS.map((group) => (
          <Box key={group.name} component="section" sx={{ breakInside: "avoid", mb: 2.5 }}>
            <Typography variant="h3" component="h3" sx={{ mb: 0.75 }}>
              {t(group.name)}
            </Typography>
            <Box component="dl" sx={{ m: 0, display: "grid", rowGap: 0.75 }}>
              {group.keys.map(([keys, text]) => (
                <Box key={text} sx={{ display: "flex", justifyContent: "space-between", columnGap: 2 }}>
                  <Typography component="dt" variant="body2" sx={{ color: "text.secondary" }}>
                    {t(text)}
                  </Typography>
                  <Box
                    component="dd"
                    sx={{
                      m: 0,
                      flex: "none",
                      display: "flex",
                      flexDirection: pressed(keys),
                      gap: 0.5,
                      alignItems: "flex-end",
                    }}
                  >
                    {keys.map((one) => (
                      <Keys key={one} keys={written(one, t)} />
                    ))}
                  </Box>
                </Box>
              ))}
            </Box>
          </Box>
        ))}
      </Box>
    </Sheet>
  );
}
