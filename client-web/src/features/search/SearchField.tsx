import Close from "@mui/icons-material/Close";
import SearchIcon from "@mui/icons-material/Search";
import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import InputBase from "@mui/material/InputBase";
import { type KeyboardEvent, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { PersonAvatar } from "../../components/PersonAvatar";
import { regional } from "../../i18n/times";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { roomStore } from "../../matrix/rooms";
import { knownPeople } from "../../matrix/search";
import {
  carried,
  dayIn,
  dayOf,
  type Filter,
  filterKeys,
  type FilterKey,
  type Typed,
  unfinished,
  withFilter,
} from "./query";

interface Props {
  typed: Typed;
  onChange: (typed: Typed) => void;
  placeholder: string;
  /** Leads from the field into what was found. */
  onDown: () => void;
  /** Filters that are offered. */
  offered?: readonly FilterKey[];
}

interface Choice {
  readonly value: string;
  readonly name: string;
  readonly hint?: string;
}

const SHOWN = 7;

/** Where the search is typed: words, and filters that become chips. */
export function SearchField({ typed, onChange, placeholder, onDown, offered = filterKeys }: Props) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const listId = useId();
  const [at, setAt] = useState(0);
  const [quiet, setQuiet] = useState(false);
  const open = unfinished(typed.words);
  const shown = open && offered.includes(open.key) ? open : null;
  const choices = useChoices(shown?.key ?? null, shown?.part ?? "");
  const isOpen = shown !== null && !quiet && choices.length > 0;
  const chosen = Math.min(at, choices.length - 1);
  const nameOf = useNames();

  const take = (filter: Filter, from: number) =>
    onChange({ words: typed.words.slice(0, from).trimEnd(), filters: withFilter(typed.filters, filter) });
  const pick = (choice: Choice | undefined) => {
    if (choice && shown) take({ key: shown.key, value: choice.value }, shown.from);
    setAt(0);
    field.current?.focus();
  };
  const write = (words: string) => {
    setAt(0);
    setQuiet(false);
    // A space after something that can only mean one thing makes a chip of it.
    const only = choices.length === 1 && words === `${typed.words} ` ? choices[0] : undefined;
    if (only) {
      pick(only);
      return;
    }
    const done = words.endsWith(" ") ? unfinished(words.trimEnd()) : null;
    const value = done && (done.key === "has" ? carried.find((one) => one === done.part) : dayIn(done.part));
    if (done && value && done.key !== "from" && done.key !== "in") take({ key: done.key, value }, done.from);
    else onChange({ ...typed, words });
  };
  const begin = (key: FilterKey) => {
    const before = (shown ? typed.words.slice(0, shown.from) : typed.words).trimEnd();
    write(`${before}${before ? " " : ""}${t(`search.key.${key}`)}:`);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const { key } = event;
    if (isOpen && (key === "ArrowDown" || key === "ArrowUp")) {
      setAt((chosen + (key === "ArrowDown" ? 1 : -1) + choices.length) % choices.length);
    } else if (isOpen && (key === "Enter" || key === "Tab")) pick(choices[chosen]);
    else if (isOpen && key === "Escape") setQuiet(true);
    else if (key === "ArrowDown") onDown();
    else if (key === "Backspace" && typed.words === "" && typed.filters.length > 0)
      onChange({ ...typed, filters: typed.filters.slice(0, -1) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <Box>
      <Box
        sx={{
          display: "flex",
          alignItems: "center",
          flexWrap: "wrap",
          gap: 0.5,
          px: 1.25,
          py: 0.375,
          minHeight: 44,
          border: 1,
          borderColor: "border.control",
          borderRadius: "10px",
          bgcolor: "surface.input",
          "&:focus-within": {
            borderColor: "focus",
            boxShadow: (theme) => `0 0 0 ${theme.highContrast ? "2" : "1"}px ${theme.palette.focus}`,
          },
        }}
      >
        <SearchIcon aria-hidden sx={{ fontSize: 20, color: "text.secondary", marginInlineEnd: 0.5 }} />
        {typed.filters.map((filter) => (
          <Box
            key={`${filter.key} ${filter.value}`}
            sx={{
              display: "flex",
              alignItems: "center",
              maxWidth: 240,
              paddingInlineStart: 1,
              borderRadius: "13px",
              bgcolor: "surface.selected",
              typography: "body2",
              fontWeight: 550,
            }}
          >
            <Box component="span" sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
              {`${t(`search.key.${filter.key}`)}: ${nameOf(filter)}`}
            </Box>
            <IconAction
              label={t("search.removeFilter", { name: nameOf(filter) })}
              onClick={() => {
                onChange({ ...typed, filters: typed.filters.filter((other) => other !== filter) });
                field.current?.focus();
              }}
              sx={{ width: 26, height: 26, "@media (pointer: coarse)": { width: 36, height: 36 } }}
            >
              <Close sx={{ fontSize: 15 }} />
            </IconAction>
          </Box>
        ))}
        <InputBase
          autoFocus
          inputRef={field}
          value={typed.words}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder={typed.filters.length === 0 ? placeholder : t("search.words")}
          inputProps={{
            role: "combobox",
            "aria-label": placeholder,
            "aria-expanded": isOpen,
            "aria-controls": isOpen ? listId : undefined,
            "aria-autocomplete": "list",
            "aria-activedescendant": isOpen ? `${listId}-${String(chosen)}` : undefined,
            autoComplete: "off",
            spellCheck: false,
            enterKeyHint: "search",
          }}
          sx={{
            flex: 1,
            minWidth: 120,
            "@media (pointer: coarse)": { minHeight: 44 },
            "& input": {
              p: 0,
              height: 34,
              outline: "none",
              "&::placeholder": { color: "text.secondary", opacity: 1 },
            },
          }}
        />
        {(typed.words !== "" || typed.filters.length > 0) && (
          <IconAction
            label={t("search.clear")}
            onClick={() => {
              onChange({ words: "", filters: [] });
              field.current?.focus();
            }}
            sx={{ width: 30, height: 30 }}
          >
            <Close sx={{ fontSize: 18 }} />
          </IconAction>
        )}
      </Box>
      {isOpen ? (
        <Box
          component="ul"
          role="listbox"
          id={listId}
          aria-label={t("search.filters")}
          sx={{
            listStyle: "none",
            m: 0,
            mt: 0.75,
            p: 0.5,
            border: 1,
            borderColor: "divider",
            borderRadius: "10px",
            bgcolor: "surface.raised",
          }}
        >
          {choices.map((choice, index) => (
            <Box
              component="li"
              role="option"
              key={choice.value}
              id={`${listId}-${String(index)}`}
              aria-selected={index === chosen}
              onMouseDown={(press) => press.preventDefault()}
              onClick={() => pick(choice)}
              onMouseMove={() => setAt(index)}
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 1,
                px: 1,
                minHeight: 34,
                "@media (pointer: coarse)": { minHeight: 44 },
                borderRadius: "7px",
                cursor: "pointer",
                bgcolor: index === chosen ? "surface.selected" : undefined,
              }}
            >
              {shown?.key === "from" && <PersonAvatar id={choice.value} name={choice.name} size={22} />}
              <Box component="span" dir="auto">
                {choice.name}
              </Box>
              <Box component="span" sx={{ color: "text.secondary", typography: "body2" }}>
                {choice.hint}
              </Box>
            </Box>
          ))}
        </Box>
      ) : (
        <Box
          role="group"
          aria-label={t("search.filters")}
          sx={{
            display: "flex",
            gap: 0.75,
            mt: 1,
            overflowX: "auto",
            scrollbarWidth: "none",
            py: "2px",
            px: "2px",
          }}
        >
          {offered.map((key) => (
            <Chip
              key={key}
              size="small"
              variant="outlined"
              label={t(`search.filter.${key}`)}
              onClick={() => begin(key)}
              sx={{
                flex: "none",
                borderColor: "divider",
                color: "text.secondary",
                height: 26,
                "@media (pointer: coarse)": { height: 36 },
              }}
            />
          ))}
        </Box>
      )}
    </Box>
  );
}

/** What may stand after the colon. */
function useChoices(key: FilterKey | null, part: string): readonly Choice[] {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const me = useUserId();
  return useMemo(() => {
    const wanted = part.toLocaleLowerCase();
    const fits = ({ name, value }: Choice) =>
      name.toLocaleLowerCase().includes(wanted) || value.toLocaleLowerCase().includes(wanted);
    switch (key) {
      case null:
        return [];
      case "from":
        return knownPeople(client)
          .map((person) => ({
            value: person.userId,
            name: person.name,
            hint: person.userId === me ? t("search.me") : person.userId,
          }))
          .filter(fits)
          .sort((a, b) => rankOf(a, wanted) - rankOf(b, wanted) || a.name.localeCompare(b.name))
          .slice(0, SHOWN);
      case "in": {
        const store = roomStore(client);
        const { channels, groups, direct } = store.getSections();
        return [...channels, ...groups, ...direct]
          .map((roomId) => store.getSummary(roomId))
          .filter((room) => room !== null)
          .map((room) => ({
            value: room.roomId,
            name: room.kind === "channel" ? `# ${room.name}` : room.name,
          }))
          .filter(({ name }) => name.toLocaleLowerCase().includes(wanted))
          .slice(0, SHOWN);
      }
      case "has":
        return carried.map((value) => ({ value, name: t(`search.has.${value}`) })).filter(fits);
      case "before":
      case "after": {
        const day = dayIn(part);
        const back = (days: number) => {
          const date = new Date();
          date.setDate(date.getDate() - days);
          return dayOf(date);
        };
        const named = [
          { value: back(0), name: t("search.day.today") },
          { value: back(1), name: t("search.day.yesterday") },
          { value: back(7), name: t("search.day.week") },
          { value: back(30), name: t("search.day.month") },
          { value: back(365), name: t("search.day.year") },
        ].map((choice) => ({ ...choice, hint: dayName(choice.value, i18n.language) }));
        return day
          ? [{ value: day, name: dayName(day, i18n.language) }]
          : part === ""
            ? named
            : named.filter(fits);
      }
    }
  }, [client, i18n.language, key, me, part, t]);
}

function rankOf({ name }: Choice, wanted: string): number {
  return name.toLocaleLowerCase().startsWith(wanted) ? 0 : 1;
}

function dayName(day: string, language: string): string {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  return new Intl.DateTimeFormat(regional(language), { dateStyle: "medium" }).format(
    new Date(year, month - 1, date),
  );
}

/** What a filter's value is called. */
function useNames(): (filter: Filter) => string {
  const { t, i18n } = useTranslation();
  const client = useClient();
  return ({ key, value }) => {
    switch (key) {
      case "from":
        return client.getUser(value)?.displayName ?? value;
      case "in":
        return roomStore(client).getSummary(value)?.name ?? value;
      case "has":
        return t(`search.has.${value}`);
      case "before":
      case "after":
        return dayName(value, i18n.language);
    }
  };
}
