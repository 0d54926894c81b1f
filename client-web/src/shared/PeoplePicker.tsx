import CheckIcon from "@mui/icons-material/Check";
import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../components/Announcer";
import { useCalm } from "../components/calm";
import { Later } from "../components/Later";
import { ListSkeleton } from "../components/Skeletons";
import { useClient } from "../matrix/MatrixProvider";
import { findPeople, knownPeople, type Person } from "../matrix/people";
import { reasonOf } from "../matrix/requests";
import { Face } from "./Face";

interface Props {
  chosen: readonly Person[];
  onChosen: (people: readonly Person[]) => void;
  /** Enter where nothing is left to choose. */
  onSubmit: () => void;
  /** Why somebody cannot be chosen, or null. */
  refused?: (userId: string) => string | null;
}

const AFTER = 180;

/** Choosing people by their names. A combobox: the field keeps the focus, arrows move through the list, Enter takes and gives back. */
export function PeoplePicker({ chosen, onChosen, onSubmit, refused }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [term, setTerm] = useState("");
  const [found, setFound] = useState<readonly Person[] | null>(() => knownPeople(client));
  const [failure, setFailure] = useState("");
  const [at, setAt] = useState(-1);
  const listId = useId();
  const list = useRef<HTMLUListElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const people = found ?? [];
  const loading = useCalm(found === null);
  const active = people[Math.min(at, people.length - 1)];
  useAnnounced(found ? t("chats.found", { count: people.length }) : "");

  useEffect(() => {
    let over = false;
    const timer = setTimeout(
      () => {
        findPeople(client, term).then(
          (next) => {
            if (over) return;
            setFound(next);
            setFailure("");
            // What was typed most probably means the first one.
            setAt(term.trim() === "" ? -1 : 0);
          },
          (error: unknown) => {
            if (over) return;
            setFound([]);
            setFailure(reasonOf(error));
          },
        );
      },
      term.trim() === "" ? 0 : AFTER,
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, term]);

  useEffect(() => {
    list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const isChosen = (person: Person) => chosen.some((other) => other.userId === person.userId);
  const toggle = (person: Person) => {
    if (refused?.(person.userId)) return;
    onChosen(
      isChosen(person) ? chosen.filter((other) => other.userId !== person.userId) : [...chosen, person],
    );
    setTerm("");
    setAt(-1);
    field.current?.focus();
  };
  const onKeyDown = (press: KeyboardEvent) => {
    if (press.nativeEvent.isComposing) return;
    const step = press.key === "ArrowDown" ? 1 : press.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && people.length > 0) {
      setAt(at < 0 ? (step > 0 ? 0 : people.length - 1) : (at + step + people.length) % people.length);
    } else if (press.key === "Enter") {
      if (active) toggle(active);
      else if (chosen.length > 0) onSubmit();
    } else if (press.key === "Backspace" && term === "" && chosen.length > 0) {
      onChosen(chosen.slice(0, -1));
    } else return;
    press.preventDefault();
  };

  return (
    <Box sx={{ display: "flex", flexDirection: "column", minHeight: 0, flex: 1 }}>
      <Box
        sx={(theme) => ({
          display: "flex",
          flexWrap: "wrap",
          alignItems: "center",
          gap: 0.75,
          px: 1,
          py: 0.75,
          minHeight: 46,
          maxHeight: 132,
          overflow: "auto",
          border: 1,
          borderColor: "border.control",
          borderRadius: "10px",
          bgcolor: "surface.input",
          "&:focus-within": {
            borderColor: theme.palette.focus,
            boxShadow: `0 0 0 ${theme.highContrast ? "2" : "1"}px ${theme.palette.focus}`,
          },
        })}
      >
        {chosen.map((person) => (
          <Chosen
            key={person.userId}
            person={person}
            onRemove={() => {
              toggle(person);
            }}
          />
        ))}
        <InputBase
          autoFocus
          inputRef={field}
          value={term}
          onChange={(change) => setTerm(change.target.value)}
          onKeyDown={onKeyDown}
          placeholder={chosen.length === 0 ? t("chats.find") : t("chats.findMore")}
          sx={{
            flex: 1,
            minWidth: 140,
            px: 0.5,
            fontSize: "0.9375rem",
            "@media (pointer: coarse)": { minHeight: 44 },
          }}
          inputProps={{
            "data-first": true,
            role: "combobox",
            "aria-label": t("chats.people"),
            "aria-expanded": true,
            "aria-controls": listId,
            "aria-autocomplete": "list",
            "aria-activedescendant": active ? `${listId}-${active.userId}` : undefined,
            autoComplete: "off",
            spellCheck: false,
          }}
        />
      </Box>
      {term.trim() === "" && people.length > 0 && (
        <Typography variant="overline" component="div" sx={{ color: "text.secondary", px: 0.5, pt: 1.5 }}>
          {t("chats.known")}
        </Typography>
      )}
      {loading ? (
        <Later>
          <ListSkeleton rows={4} />
        </Later>
      ) : (
        <Box
          component="ul"
          ref={list}
          role="listbox"
          id={listId}
          aria-label={t("chats.people")}
          aria-multiselectable
          tabIndex={-1}
          sx={{ listStyle: "none", m: 0, p: 0, pt: 0.5, overflow: "auto", flex: 1, minHeight: 0 }}
        >
          {people.map((person, index) => (
            <Option
              key={person.userId}
              id={`${listId}-${person.userId}`}
              person={person}
              active={person === active}
              chosen={isChosen(person)}
              refusal={refused?.(person.userId) ?? null}
              onNear={() => setAt(index)}
              onPick={() => toggle(person)}
            />
          ))}
        </Box>
      )}
      {!loading && people.length === 0 && (
        <Typography sx={{ px: 0.5, pb: 2, color: failure ? "dangerText" : "text.secondary" }}>
          {failure ? t("common.failed", { reason: failure }) : t(term.trim() ? "chats.none" : "chats.nobody")}
        </Typography>
      )}
    </Box>
  );
}

function Chosen({ person, onRemove }: { person: Person; onRemove: () => void }) {
  const { t } = useTranslation();
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.75,
        paddingInlineStart: 0.5,
        height: 30,
        maxWidth: 240,
        borderRadius: "15px",
        bgcolor: "surface.selected",
        fontSize: "0.8125rem",
        fontWeight: 550,
      }}
    >
      <Face {...person} size={22} presence={false} />
      <Box
        component="span"
        dir="auto"
        sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
      >
        {person.name}
      </Box>
      <ButtonBase
        aria-label={t("chats.remove", { name: person.name })}
        onClick={onRemove}
        sx={{ width: 28, height: 28, borderRadius: "50%", color: "text.secondary" }}
      >
        <CloseIcon sx={{ fontSize: 15 }} />
      </ButtonBase>
    </Box>
  );
}

interface OptionProps {
  id: string;
  person: Person;
  active: boolean;
  chosen: boolean;
  refusal: string | null;
  onNear: () => void;
  onPick: () => void;
}

function Option({ id, person, active, chosen, refusal, onNear, onPick }: OptionProps) {
  return (
    <Box
      component="li"
      role="option"
      id={id}
      aria-selected={chosen}
      aria-disabled={refusal !== null}
      data-active={active || undefined}
      onMouseMove={onNear}
      onMouseDown={(press) => {
        // The field keeps the focus.
        press.preventDefault();
      }}
      onClick={onPick}
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1.25,
        px: 1,
        minHeight: 48,
        borderRadius: "8px",
        cursor: refusal ? "default" : "pointer",
        bgcolor: active ? "surface.selected" : undefined,
      }}
    >
      <Face {...person} on="raised" />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography noWrap dir="auto" sx={{ fontWeight: 550, fontSize: "0.9375rem" }}>
          {person.name}
        </Typography>
        <Typography variant="caption" component="div" noWrap sx={{ color: "text.secondary" }}>
          {refusal ?? person.userId}
        </Typography>
      </Box>
      {chosen && <CheckIcon aria-hidden sx={{ fontSize: 20, color: "accentText" }} />}
    </Box>
  );
}
