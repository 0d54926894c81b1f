// Stands in for parts of the SDK that this client never uses (build/lean-sdk.ts): sliding sync, and trees of files in rooms.

/** Whoever reaches this asks for something that was left out on purpose. */
class LeftOut {
  constructor() {
    throw new Error("This part of the SDK is not part of this client");
  }
}

/** Of a tree that is never made. */
export const DEFAULT_TREE_POWER_LEVELS_TEMPLATE = {};

export { LeftOut as MSC3089TreeSpace, LeftOut as SlidingSyncSdk };
