import Box from "@mui/material/Box";

import { Later } from "../../components/Later";
import { ListSkeleton, MessageSkeleton } from "../../components/Skeletons";
import { layout } from "./layout";

/** The chat before anything of it is there: the same panes, empty, so that nothing moves when they fill. */
export function Frame() {
  return (
    <Box aria-busy="true" sx={layout.page}>
      <Box sx={layout.bar} />
      <Box sx={layout.panes}>
        <Box sx={layout.sidebar}>
          <Later>
            <ListSkeleton rows={10} />
          </Later>
        </Box>
        <Box component="main" sx={[layout.conversation, { display: { xs: "none", md: "flex" } }]}>
          <Later>
            <MessageSkeleton />
          </Later>
        </Box>
      </Box>
    </Box>
  );
}
