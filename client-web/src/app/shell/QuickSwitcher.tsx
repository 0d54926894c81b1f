import Bolt from "@mui/icons-material/BoltOutlined";
import Lock from "@mui/icons-material/Lock";
import Tag from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../../components/Announcer";
import { PersonAvatar } from "../../components/PersonAvatar";
import { takeTyped } from "../keyboard/typedAhead";
import { rank } from "./rank";

/** Something one can jump to. */
export interface Destination {
  id: string;
  name: string;
  kind: "direct" | "channel" | "group" | "person" | "command";
  /** More to find it by, and shown beside the name. */
  hint?: string;
  unread?: boolean;
  /** A channel that is not open to everybody. */
  private?: boolean;
  go: () => void;
}

interface Props {
  destinations: readonly Destination[];
  /** What is being looked for, for who can find more. */
  onWanted?: (wanted: string) => void;
  onClose: () => void;
}

const SHOWN = 40;

/** The way to everything by a few letters of its name. A combobox: the field keeps the focus, arrows move through the list. */
export function QuickSwitcher({ destinations, onWanted, onClose }: Props) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => rank(destinations, wanted).slice(0, SHOWN), [destinations, wanted]);
  const chosen = found[Math.min(at, found.length - 1)];
  useAnnounced(t("app.switcher.results", { count: found.length }));

  useEffect(() => {
    list.current?.querySelector("[aria-selected='true']")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const go = (destination: Destination | undefined) => {
    if (!destination) return;
    onClose();
    // After the dialog has given the focus back: the place it leads to takes it.
    setTimeout(destination.go, 0);
  };
  const look = (text: string) => {
    setWanted(text);
    setAt(0);
    onWanted?.(text);
  };
  const onFocus = () => {
    const { text, entered } = takeTyped();
    if (text !== "") look(wanted + text);
    if (entered) go(rank(destinations, wanted + text)[0]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const steps: Record<string, () => void> = {
      ArrowDown: () => {
        setAt((at + 1) % Math.max(1, found.length));
      },
      ArrowUp: () => {
        setAt((at - 1 + found.length) % Math.max(1, found.length));
      },
      Enter: () => {
        go(chosen);
      },
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  };

  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="sm"
      transitionDuration={80}
      slotProps={{
        paper: {
          "aria-label": t("app.switcher.title"),
          sx: { mt: "12vh", mb: "auto", mx: 1.5, width: "calc(100% - 24px)" },
        },
      }}
    >
      <InputBase
        autoFocus
        fullWidth
        value={wanted}
        onChange={(event) => {
          look(event.target.value);
        }}
        onFocus={onFocus}
        onKeyDown={onKeyDown}
        placeholder={t("app.switcher.placeholder")}
        inputProps={{
          role: "combobox",
          "aria-label": t("app.switcher.title"),
          "aria-expanded": true,
          "aria-controls": listId,
          "aria-autocomplete": "list",
          "aria-activedescendant": chosen ? `${listId}-${chosen.id}` : undefined,
          autoComplete: "off",
          spellCheck: false,
        }}
        sx={{ px: 2, py: 1.25, fontSize: "1rem", borderBottom: 1, borderColor: "divider" }}
      />
      <Box
        component="ul"
        role="listbox"
        id={listId}
        ref={list}
        aria-label={t("app.switcher.title")}
        sx={{ listStyle: "none", m: 0, p: 0.75, overflow: "auto", maxHeight: "50vh" }}
      >
        {found.map((destination) => (
          <Box
            component="li"
            role="option"
            key={destination.id}
            id={`${listId}-${destination.id}`}
            aria-selected={destination === chosen}
            onClick={() => {
              go(destination);
            }}
            onMouseMove={() => {
              setAt(found.indexOf(destination));
            }}
            sx={{
              display: "flex",
              alignItems: "center",
              gap: 1.25,
              px: 1.25,
              minHeight: 40,
              "@media (pointer: coarse)": { minHeight: 44 },
              borderRadius: 1,
              cursor: "pointer",
              bgcolor: destination === chosen ? "surface.selected" : undefined,
            }}
          >
            {iconOf(destination)}
            <Typography component="span" noWrap sx={{ fontWeight: destination.unread ? 650 : undefined }}>
              {destination.name}
            </Typography>
            {destination.hint && (
              <Typography
                component="span"
                variant="body2"
                noWrap
                sx={{ color: "text.secondary", flex: 1, minWidth: 0 }}
              >
                {destination.hint}
              </Typography>
            )}
          </Box>
        ))}
      </Box>
      {found.length === 0 && (
        <Typography sx={{ px: 2, pb: 2, color: "text.secondary" }}>{t("app.switcher.none")}</Typography>
      )}
    </Dialog>
  );
}

function iconOf({ kind, id, name, ...more }: Destination): ReactNode {
  const icons = { sx: { fontSize: 20, mx: "2px", color: "text.secondary" }, "aria-hidden": true };
  if (kind === "command") return <Bolt {...icons} />;
  if (kind === "channel") return more.private ? <Lock {...icons} /> : <Tag {...icons} />;
  return <PersonAvatar id={id} name={name} size={24} square={kind === "group"} />;
}
