import ChevronIcon from "@mui/icons-material/ExpandMore";
import Box from "@mui/material/Box";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { VirtualList, type ListHandle } from "../../components/list/VirtualList";
import { ListSkeleton } from "../../components/Skeletons";
import { useClient, useSyncState } from "../../matrix/MatrixProvider";
import { roomStore, useRooms } from "../../matrix/rooms";
import { flatten, type Item, type SectionName } from "./items";
import { InviteRow } from "./InviteRow";
import { RoomRow } from "./RoomRow";

interface Props {
  activeRoomId?: string | null | undefined;
  onOpen: (roomId: string) => void;
  /** Buttons at the end of a section's heading. */
  actions?: (section: SectionName) => ReactNode;
  /** Draws the menu of a room. */
  menu?: (roomId: string, anchor: HTMLElement, close: () => void) => ReactNode;
}

const ROW_HEIGHT = 34;
const keyOfItem = (item: Item) => item.key;

/** All conversations in their sections: direct messages, channels, groups. One stop for Tab; arrows move inside. */
export function RoomList({ activeRoomId = null, onOpen, actions, menu: draw }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const sync = useSyncState();
  const sections = useRooms();
  const empty =
    sections.invites.length + sections.direct.length + sections.channels.length + sections.groups.length ===
    0;
  const loading = useCalm(empty && sync === "starting");
  const [closed, setClosed] = useState<ReadonlySet<SectionName>>(readClosed);
  const items = useMemo(() => flatten(sections, closed), [sections, closed]);
  const [focusKey, setFocusKey] = useState<string | null>(null);
  const [menu, setMenu] = useState<{ roomId: string; anchor: HTMLElement } | null>(null);
  const list = useRef<ListHandle>(null);

  useEffect(() => {
    roomStore(client).setWords({ nobody: t("rooms.nobody"), unnamed: t("rooms.unnamed") });
  }, [client, t]);

  const toggle = useCallback((name: SectionName) => {
    setClosed((before) => {
      const next = new Set(before);
      if (!next.delete(name)) next.add(name);
      keepClosed(next);
      return next;
    });
  }, []);
  const onMenu = useCallback((roomId: string, anchor: HTMLElement) => setMenu({ roomId, anchor }), []);

  const known = (key: string | null) => key !== null && items.some((item) => item.key === key);
  const tabKey = known(focusKey)
    ? focusKey
    : known(activeRoomId)
      ? activeRoomId
      : (items.find((item) => item.kind === "room")?.key ?? items[0]?.key ?? null);

  const focusItem = (index: number) => {
    const item = items[index];
    if (!item) return;
    setFocusKey(item.key);
    list.current?.scrollTo({ key: item.key, align: "nearest" }, () =>
      list.current
        ?.element(item.key)
        ?.querySelector<HTMLElement>("[data-room]")
        ?.focus({ preventScroll: true }),
    );
  };
  const onKeyDown = (press: KeyboardEvent) => {
    const at = items.findIndex((item) => item.key === (press.target as HTMLElement).dataset["room"]);
    if (at < 0 || press.altKey || press.ctrlKey || press.metaKey) return;
    const item = items[at]!;
    if (press.key === "ArrowDown") focusItem(Math.min(at + 1, items.length - 1));
    else if (press.key === "ArrowUp") focusItem(Math.max(at - 1, 0));
    else if (press.key === "Home") focusItem(0);
    else if (press.key === "End") focusItem(items.length - 1);
    else if ((press.key === "ArrowLeft" || press.key === "ArrowRight") && item.kind === "heading")
      toggle(item.key);
    else if ((press.key === "ContextMenu" || (press.key === "F10" && press.shiftKey)) && item.kind === "room")
      onMenu(item.key, press.target as HTMLElement);
    else return;
    press.preventDefault();
  };

  if (loading) {
    return (
      <Later>
        <ListSkeleton />
      </Later>
    );
  }
  if (empty) return <EmptyState title={t("rooms.emptyTitle")} text={t("rooms.emptyText")} />;

  return (
    <Box onKeyDown={onKeyDown} sx={{ flex: 1, minHeight: 0, display: "flex", flexDirection: "column" }}>
      <VirtualList
        ref={list}
        items={items}
        keyOf={keyOfItem}
        estimate={ROW_HEIGHT}
        kept={tabKey}
        draw={(item) => (
          <ListItem
            item={item}
            active={item.key === activeRoomId}
            tabbable={item.key === tabKey}
            onOpen={onOpen}
            onMenu={onMenu}
            onToggle={toggle}
            actions={actions}
          />
        )}
      />
      {menu && draw?.(menu.roomId, menu.anchor, () => setMenu(null))}
    </Box>
  );
}

interface ItemProps {
  item: Item;
  active: boolean;
  tabbable: boolean;
  onOpen: (roomId: string) => void;
  onMenu: (roomId: string, anchor: HTMLElement) => void;
  onToggle: (name: SectionName) => void;
  actions: Props["actions"];
}

function ListItem({ item, active, tabbable, onOpen, onMenu, onToggle, actions }: ItemProps) {
  if (item.kind === "heading") {
    return (
      <Heading
        name={item.key}
        count={item.count}
        open={item.open}
        tabbable={tabbable}
        onToggle={onToggle}
        actions={actions}
      />
    );
  }
  if (item.section === "invites")
    return <InviteRow roomId={item.key} active={active} tabbable={tabbable} onOpen={onOpen} />;
  return <RoomRow roomId={item.key} active={active} tabbable={tabbable} onOpen={onOpen} onMenu={onMenu} />;
}

function Heading({
  name,
  count,
  open,
  tabbable,
  onToggle,
  actions,
}: {
  name: SectionName;
  count: number;
  open: boolean;
  tabbable: boolean;
  onToggle: (name: SectionName) => void;
  actions: Props["actions"];
}) {
  const { t } = useTranslation();
  const title = t(`rooms.${name}`);
  return (
    <Box sx={{ display: "flex", alignItems: "center", px: 1, pt: 1.5, pb: 0.25 }}>
      <Box component="h2" sx={{ m: 0, flex: 1, minWidth: 0, font: "inherit" }}>
        <Box
          component="button"
          type="button"
          data-room={name}
          tabIndex={tabbable ? 0 : -1}
          aria-expanded={open}
          onClick={() => onToggle(name)}
          sx={(theme) => ({
            all: "unset",
            boxSizing: "border-box",
            width: "100%",
            minHeight: 26,
            "@media (pointer: coarse)": { minHeight: 44 },
            px: 0.5,
            display: "flex",
            alignItems: "center",
            gap: 0.5,
            cursor: "pointer",
            borderRadius: "6px",
            typography: "overline",
            ...theme.typography.overline,
            color: "text.secondary",
            "&:hover": { color: "text.primary" },
            "&:focus-visible": { outline: "2px solid", outlineColor: theme.palette.focus },
          })}
        >
          <ChevronIcon
            aria-hidden
            className="pointing"
            sx={{ fontSize: 16, transform: open ? "none" : "rotate(-90deg)" }}
          />
          {title}
          {!open && count > 0 && <span>({count})</span>}
        </Box>
      </Box>
      {actions?.(name)}
    </Box>
  );
}

const CLOSED = "orvale.rooms.closed";

function readClosed(): ReadonlySet<SectionName> {
  try {
    return new Set(JSON.parse(localStorage.getItem(CLOSED) ?? "[]") as SectionName[]);
  } catch {
    return new Set();
  }
}

function keepClosed(closed: ReadonlySet<SectionName>): void {
  try {
    localStorage.setItem(CLOSED, JSON.stringify([...closed]));
  } catch {
    // Open again next time.
  }
}
