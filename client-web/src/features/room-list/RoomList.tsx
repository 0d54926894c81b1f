import ChevronIcon from "@mui/icons-material/ExpandMore";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";

import { alert } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { ListSkeleton } from "../../components/Skeletons";
import { useClient, useSyncState } from "../../matrix/MatrixProvider";
import { joinRoom, leaveRoom, roomStore, useRoom, useRooms } from "../../matrix/rooms";
import { flatten, type Item, type SectionName } from "./items";
import { RoomMenu } from "./RoomMenu";
import { RoomRow } from "./RoomRow";

interface Props {
  activeRoomId?: string | null | undefined;
  onOpen: (roomId: string) => void;
  /** Buttons at the end of a section's heading. */
  actions?: (section: SectionName) => ReactNode;
}

const AROUND = { top: 300, bottom: 300 };

/** All conversations in their sections: direct messages, channels, groups. One stop for Tab; arrows move inside. */
export function RoomList({ activeRoomId = null, onOpen, actions }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const sync = useSyncState();
  const sections = useRooms();
  const [closed, setClosed] = useState<ReadonlySet<SectionName>>(readClosed);
  const items = useMemo(() => flatten(sections, closed), [sections, closed]);
  const [focusKey, setFocusKey] = useState<string | null>(null);
  const [menu, setMenu] = useState<{ roomId: string; anchor: HTMLElement } | null>(null);
  const list = useRef<VirtuosoHandle>(null);
  const root = useRef<HTMLDivElement>(null);

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
    list.current?.scrollIntoView({
      index,
      behavior: "auto",
      done: () =>
        root.current
          ?.querySelector<HTMLElement>(`[data-room="${CSS.escape(item.key)}"]`)
          ?.focus({ preventScroll: true }),
    });
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

  const empty =
    sections.invites.length + sections.direct.length + sections.channels.length + sections.groups.length ===
    0;
  if (empty && sync === "starting") {
    return (
      <Later>
        <ListSkeleton />
      </Later>
    );
  }
  if (empty)
    return (
      <EmptyState title={t("rooms.emptyTitle")} text={t("rooms.emptyText")} actions={actions?.("direct")} />
    );

  return (
    <Box
      ref={root}
      onKeyDown={onKeyDown}
      sx={{ flex: 1, minHeight: 0, display: "flex", flexDirection: "column" }}
    >
      <Virtuoso
        ref={list}
        style={{ flex: 1, minHeight: 0 }}
        data={items}
        computeItemKey={(_index, item) => item.key}
        increaseViewportBy={AROUND}
        initialItemCount={Math.min(items.length, 30)}
        itemContent={(_index, item) => (
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
      {menu && <RoomMenu roomId={menu.roomId} anchor={menu.anchor} onClose={() => setMenu(null)} />}
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
  if (item.section === "invites") return <Invite roomId={item.key} tabbable={tabbable} onOpen={onOpen} />;
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
          <ChevronIcon aria-hidden sx={{ fontSize: 16, transform: open ? "none" : "rotate(-90deg)" }} />
          {title}
          {!open && count > 0 && <span>({count})</span>}
        </Box>
      </Box>
      {actions?.(name)}
    </Box>
  );
}

function Invite({
  roomId,
  tabbable,
  onOpen,
}: {
  roomId: string;
  tabbable: boolean;
  onOpen: (roomId: string) => void;
}) {
  const { t } = useTranslation();
  const client = useClient();
  const room = useRoom(roomId);
  const [busy, setBusy] = useState(false);
  if (!room) return null;
  const run = (action: () => Promise<unknown>) => {
    setBusy(true);
    action()
      .catch((error: unknown) =>
        alert(t("rooms.failed", { reason: error instanceof Error ? error.message : "" })),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Box sx={{ px: 2, py: 0.5 }}>
      <Box
        dir="auto"
        sx={{ fontWeight: 600, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
      >
        {room.kind === "channel" ? `# ${room.name}` : room.name}
      </Box>
      <Box sx={{ display: "flex", gap: 1, mt: 0.25 }}>
        <Button
          size="small"
          variant="contained"
          disabled={busy}
          data-room={roomId}
          tabIndex={tabbable ? 0 : -1}
          onClick={() =>
            run(async () => {
              await joinRoom(client, roomId);
              onOpen(roomId);
            })
          }
        >
          {t("rooms.accept")}
        </Button>
        <Button size="small" disabled={busy} onClick={() => run(() => leaveRoom(client, roomId))}>
          {t("rooms.decline")}
        </Button>
      </Box>
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
