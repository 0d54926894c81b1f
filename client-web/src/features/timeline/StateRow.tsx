import Box from "@mui/material/Box";
import type { TFunction } from "i18next";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import { useClient } from "../../matrix/MatrixProvider";
import { describeState, type StateLine } from "../../matrix/stateLines";
import type { Row } from "../../matrix/timeline";
import { isolated } from "../../i18n/direction";
import { complete } from "../../i18n/times";

/** "Anna, Ben and 3 others". */
export function listNames(names: readonly string[], t: TFunction, language: string): string {
  const shown =
    names.length > 4
      ? [...names.slice(0, 3), t("timeline.state.others", { count: names.length - 3 })]
      : [...names];
  return new Intl.ListFormat(language, { type: "conjunction" }).format(shown);
}

/** Not the page's words, and maybe not in its direction. */
const own = (name: string) => isolated(name);

function sentence(line: StateLine, t: TFunction, language: string): string {
  switch (line.kind) {
    case "members":
      return t(`timeline.state.${line.change}`, {
        count: line.names.length,
        names: listNames(line.names.map(own), t, language),
      });
    case "named":
      return t(`timeline.state.${line.what}`, { name: own(line.name), value: own(line.value) });
  }
}

/** What happened to the room itself, in one quiet line. */
export const StateRow = memo(function StateRow({ row }: { row: Row }) {
  const { t, i18n } = useTranslation();
  const lines = describeState(useClient(), row.events);
  const last = row.events[row.events.length - 1] ?? row.event;
  return (
    <Box
      title={complete(last.getTs(), i18n.language)}
      sx={{
        px: 2,
        py: 0.5,
        paddingInlineStart: "64px",
        typography: "body2",
        color: "text.secondary",
        overflowWrap: "anywhere",
      }}
    >
      {lines.map((line) => sentence(line, t, i18n.language)).join(" · ")}
    </Box>
  );
});
