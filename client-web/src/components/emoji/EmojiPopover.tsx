import { Suspense } from "react";

import { later } from "../../i18n/later";
import type { Props } from "./EmojiPanel";

const EmojiPanel = later(() => import("./EmojiPanel").then((part) => part.EmojiPanel));

/** The emoji picker beside what opened it; loaded with its first opening. */
export function EmojiPopover(props: Props) {
  if (props.anchor === null) return null;
  return (
    <Suspense fallback={null}>
      <EmojiPanel {...props} />
    </Suspense>
  );
}
