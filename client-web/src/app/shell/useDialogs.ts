import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { BESIDE } from "./usePanel";

/** The dialogs of the shell: which one is open stands in the address, so that going back closes it and a link opens it. */
export type DialogName =
  | "settings"
  | "switch"
  | "keys"
  | "profile"
  | "search"
  | "saved"
  | "new"
  | "channels"
  | "room"
  | "invite"
  | "status";

/** What is open, and how to change that. */
export interface Dialogs {
  open: DialogName | null;
  /** The page of the dialog, where it has several. */
  page: string;
  show: (name: DialogName, page?: string) => void;
  close: () => void;
}

const NAMES: readonly DialogName[] = [
  "settings",
  "switch",
  "keys",
  "profile",
  "search",
  "saved",
  "new",
  "channels",
  "room",
  "invite",
  "status",
];

/** The dialogs of the shell. */
export function useDialogs(): Dialogs {
  const [search, setSearch] = useSearchParams();
  return useMemo(() => {
    // What stands beside the conversation stays below the dialog.
    const beside = search.get(BESIDE);
    const below: Record<string, string> = beside === null ? {} : { [BESIDE]: beside };
    const open = NAMES.find((name) => search.has(name)) ?? null;
    return {
      open,
      page: (open && search.get(open)) ?? "",
      show: (name, page = "") => {
        setSearch({ ...below, [name]: page }, { replace: open !== null });
      },
      close: () => {
        setSearch(below, { replace: true });
      },
    };
  }, [search, setSearch]);
}
