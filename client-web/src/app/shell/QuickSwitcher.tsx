import Bolt from "@mui/icons-material/BoltOutlined";
import Tag from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { hidden } from "../../components/hidden";
import { PersonAvatar } from "../../components/PersonAvatar";
import { rank } from "./rank";

/** Something one can jump to. */
export interface Destination {
  id: string;
  name: string;
  kind: "direct" | "channel" | "group" | "command";
  /** More to find it by, and shown beside the name. */
  hint?: string;
  unread?: boolean;
  go: () => void;
}

interface Props {
  destinations: readonly Destination[];
  onClose: () => void;
}

const SHOWN = 40;

/** The way to everything by a few letters of its name. A combobox: the field keeps the focus, arrows move through the list. */
export function QuickSwitcher({ destinations, onClose }: Props) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => rank(destinations, wanted).slice(0, SHOWN), [destinations, wanted]);
  const chosen = found[Math.min(at, found.length - 1)];

  useEffect(() => {
    list.current?.querySelector("[aria-selected='true']")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const go = (destination: Destination | undefined) => {
    if (!destination) return;
    onClose();
    // After the dialog has given the focus back: the place it leads to takes it.
    setTimeout(destination.go, 0);
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
      aria-label={t("app.switcher.title")}
      slotProps={{ paper: { sx: { mt: "12vh", mb: "auto", mx: 1.5, width: "calc(100% - 24px)" } } }}
    >
      <InputBase
        autoFocus
        fullWidth
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value);
          setAt(0);
        }}
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
      <Box role="status" sx={hidden}>
        {t("app.switcher.results", { count: found.length })}
      </Box>
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

function iconOf({ kind, id, name }: Destination): ReactNode {
  const icons = { sx: { fontSize: 20, mx: "2px", color: "text.secondary" }, "aria-hidden": true };
  if (kind === "command") return <Bolt {...icons} />;
  if (kind === "channel") return <Tag {...icons} />;
  return <PersonAvatar id={id} name={name} size={24} square={kind === "group"} />;
}
