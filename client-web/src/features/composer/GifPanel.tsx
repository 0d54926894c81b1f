import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import Popover from "@mui/material/Popover";
import TextField from "@mui/material/TextField";
import { useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { Later } from "../../components/Later";
import { sendGif, useGifPicture, useGifs, type Gif } from "../../matrix/gifs";
import { useClient } from "../../matrix/MatrixProvider";
import type { Place } from "../../matrix/send";
import { usePreferences } from "../../preferences/store";

interface Props {
  place: Place;
  anchor: HTMLElement;
  onClose: () => void;
}

const COLUMNS = 2;
const HEIGHT = 108;

/** Where a key leads from one of so many GIFs in rows; null if it is no key of the grid. */
export function step(key: string, from: number, count: number, rtl: boolean): number | null {
  const by = {
    ArrowRight: rtl ? -1 : 1,
    ArrowLeft: rtl ? 1 : -1,
    ArrowDown: COLUMNS,
    ArrowUp: -COLUMNS,
    Home: -from,
    End: count - 1 - from,
  }[key];
  if (by === undefined) return null;
  const to = from + by;
  return to >= 0 && to < count ? to : from;
}

/** GIFs to choose from, beside what opened it. */
export function GifPanel({ place, anchor, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const { motion } = usePreferences();
  const [words, setWords] = useState("");
  const [current, setCurrent] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const { status, provider, gifs, more, again } = useGifs(words, i18n.language);
  const loading = useCalm(status === "loading");
  const still = motion === "reduced" || matchMedia("(prefers-reduced-motion: reduce)").matches;

  const focus = (index: number) => {
    setCurrent(index);
    list.current?.querySelectorAll("button")[index]?.focus();
  };
  const onKeyDown = (press: KeyboardEvent) => {
    const to = step(press.key, current, gifs.length, document.documentElement.dir === "rtl");
    if (to === null) return;
    press.preventDefault();
    focus(to);
  };
  return (
    <Popover
      open
      anchorEl={anchor}
      onClose={onClose}
      anchorOrigin={{ vertical: "top", horizontal: "left" }}
      transformOrigin={{ vertical: "bottom", horizontal: "left" }}
      slotProps={{
        paper: {
          role: "dialog",
          "aria-label": t("extras.gif"),
          sx: {
            width: 372,
            maxWidth: "calc(100vw - 16px)",
            height: 440,
            display: "flex",
            flexDirection: "column",
          },
        },
      }}
    >
      <Box sx={{ p: 1, flex: "none" }}>
        <TextField
          autoFocus
          fullWidth
          size="small"
          type="search"
          label={t("extras.findGif")}
          value={words}
          onChange={(change) => {
            setWords(change.target.value);
            setCurrent(0);
          }}
          onKeyDown={(press) => {
            if (press.key !== "ArrowDown" || gifs.length === 0) return;
            press.preventDefault();
            focus(0);
          }}
          slotProps={{ htmlInput: { dir: "auto", maxLength: 100 } }}
        />
      </Box>
      <Box
        sx={{ flex: 1, minHeight: 0, overflowY: "auto", px: 1 }}
        onScroll={({ currentTarget: view }) => {
          if (view.scrollHeight - view.scrollTop - view.clientHeight < HEIGHT * 2) more?.();
        }}
      >
        {loading ? (
          <Later>
            <Box aria-busy sx={{ display: "grid", gridTemplateColumns: "1fr 1fr", gap: 0.75 }}>
              {[0, 1, 2, 3, 4, 5].map((one) => (
                <Box key={one} sx={{ height: HEIGHT, borderRadius: "8px", bgcolor: "surface.code" }} />
              ))}
            </Box>
          </Later>
        ) : status === "failed" && gifs.length === 0 ? (
          <Box role="alert" sx={{ p: 3, textAlign: "center", color: "text.secondary" }}>
            <Box sx={{ mb: 1 }}>{t("extras.gifsFailed")}</Box>
            <Button onClick={again}>{t("extras.again")}</Button>
          </Box>
        ) : status === "there" && gifs.length === 0 ? (
          <Box role="status" sx={{ p: 3, textAlign: "center", color: "text.secondary" }}>
            {t("extras.noGifs")}
          </Box>
        ) : (
          <Box
            component="ul"
            ref={list}
            aria-label={t("extras.gifs")}
            onKeyDown={onKeyDown}
            sx={{
              listStyle: "none",
              m: 0,
              p: "2px",
              display: "grid",
              gridTemplateColumns: `repeat(${String(COLUMNS)}, minmax(0, 1fr))`,
              gap: 0.75,
            }}
          >
            {gifs.map((gif, index) => (
              <li key={gif.id}>
                <Choice
                  gif={gif}
                  still={still}
                  tabbable={index === current}
                  onFocus={() => setCurrent(index)}
                  onPick={() => {
                    onClose();
                    sendGif(client, place, gif);
                  }}
                />
              </li>
            ))}
          </Box>
        )}
      </Box>
      <Box sx={{ flex: "none", px: 1.5, py: 0.75, typography: "caption", color: "text.secondary" }}>
        {provider ? t("extras.poweredBy", { provider }) : "\u00a0"}
      </Box>
    </Popover>
  );
}

function Choice({
  gif,
  still,
  tabbable,
  onFocus,
  onPick,
}: {
  gif: Gif;
  still: boolean;
  tabbable: boolean;
  onFocus: () => void;
  onPick: () => void;
}) {
  const { t } = useTranslation();
  const url = useGifPicture(gif.id, still);
  return (
    <ButtonBase
      tabIndex={tabbable ? 0 : -1}
      onFocus={onFocus}
      onClick={onPick}
      aria-label={t("extras.sendGif", { title: gif.title || t("extras.gif") })}
      sx={{
        width: "100%",
        height: HEIGHT,
        borderRadius: "8px",
        overflow: "hidden",
        bgcolor: "surface.code",
        "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 1 },
      }}
    >
      {url && (
        <Box
          component="img"
          src={url}
          alt=""
          draggable={false}
          sx={{ width: "100%", height: "100%", objectFit: "cover" }}
        />
      )}
    </ButtonBase>
  );
}
