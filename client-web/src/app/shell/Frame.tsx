import Box from "@mui/material/Box";

import { Later } from "../../components/Later";
import { ListSkeleton, MessageSkeleton } from "../../components/Skeletons";
import { mayBeHere } from "../../matrix/session";
import { layout } from "./layout";

/** Reading what the last visit left takes less, in ms, on most machines. */
const RECALLING = 500;

/**
 * The chat before anything of it is there: the same panes, empty, so that nothing moves when they fill. Where the rooms of the last
 * visit are about to come, a sign of loading waits for them longer.
 */
export function Frame() {
  const patience = mayBeHere() ? { after: RECALLING } : {};
  return (
    <Box aria-busy="true" sx={layout.page}>
      <Box sx={layout.bar} />
      <Box sx={layout.panes}>
        <Box sx={layout.sidebar}>
          <Later {...patience}>
            <ListSkeleton rows={10} />
          </Later>
        </Box>
        <Box component="main" sx={[layout.conversation, { display: { xs: "none", md: "flex" } }]}>
          <Later {...patience}>
            <MessageSkeleton />
          </Later>
        </Box>
      </Box>
    </Box>
  );
}
