import Box from "@mui/material/Box";

import { PersonAvatar } from "../components/PersonAvatar";
import { PresenceDot } from "../components/PresenceDot";
import { useMedia } from "../matrix/media";
import { usePresence } from "../matrix/presence";

interface Props {
  userId: string;
  name: string;
  avatar: string | null;
  size?: number;
  /** What it stands on. */
  on?: "sidebar" | "messages" | "raised";
  /** Whether it tells how available they are. */
  presence?: boolean;
}

/** Somebody's picture with a mark for presence. */
export function Face({ userId, name, avatar, size = 32, on = "messages", presence = true }: Props) {
  const { url } = useMedia(avatar, { width: size, height: size, crop: true });
  return (
    <Box sx={{ position: "relative", flex: "none" }}>
      <PersonAvatar id={userId} name={name} src={url ?? undefined} size={size} />
      {presence && <Dot userId={userId} size={Math.max(9, Math.round(size / 5.5))} on={on} />}
    </Box>
  );
}

/** Apart, so that presence draws nothing but itself. */
function Dot({ userId, size, on }: { userId: string; size: number; on: "sidebar" | "messages" | "raised" }) {
  const { state } = usePresence(userId);
  return (
    <Box sx={{ position: "absolute", bottom: -3, insetInlineEnd: -4, display: "flex" }}>
      <PresenceDot presence={state} size={size} on={on} />
    </Box>
  );
}
