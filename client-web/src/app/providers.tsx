import createCache, { type EmotionCache } from "@emotion/cache";
import { CacheProvider } from "@emotion/react";
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";

import { languageFor, languages, speak } from "../i18n";
import { type Direction, useDirection } from "../i18n/direction";
import { preferences, usePreferences } from "../preferences/store";
import { themeFor } from "../theme/theme";
import { painted } from "../theme/themes";

/** The number the server put into the page: without it the browser refuses our styles. */
const nonce = document.querySelector<HTMLElement>("meta[property='csp-nonce']")?.nonce;
const options = nonce ? { nonce } : {};
const cache = createCache({ key: "o", ...options });

/** The colour of what comes, before it is there: no flash of white for who has chosen a dark theme. */
export function paintGround(): void {
  const { theme, density } = preferences.get().effective;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.style.backgroundColor = themeFor(
    painted(theme, dark),
    density,
  ).palette.surface.messages;
}

/** Theme, language and direction, as the preferences say. */
export function Providers({ children }: { children: ReactNode }) {
  const chosen = usePreferences();
  const dark = useMedia("(prefers-color-scheme: dark)");
  const name = painted(chosen.theme, dark);
  const language = languageFor(chosen.language);
  const wanted = useDirection(languages[language].direction);
  const mirrored = useMirrored(wanted);
  const direction: Direction = mirrored ? "rtl" : "ltr";
  const theme = themeFor(name, chosen.density, direction);

  useEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = name;
    root.dataset.motion = chosen.motion;
    root.style.backgroundColor = theme.palette.surface.messages;
    root.style.fontSize = `${String(chosen.font_size)}%`;
    document
      .querySelector("meta[name='theme-color']")
      ?.setAttribute("content", theme.palette.surface.sidebar);
  }, [name, chosen.motion, chosen.font_size, theme]);

  useEffect(() => {
    void speak(language);
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    document.documentElement.dir = direction;
  }, [direction]);

  // A page that turns around while it is looked at is worse than one that comes a moment later.
  if (wanted === "rtl" && !mirrored) return null;
  return (
    <CacheProvider value={mirrored ?? cache}>
      <ThemeProvider theme={theme}>
        <CssBaseline enableColorScheme />
        {children}
      </ThemeProvider>
    </CacheProvider>
  );
}

/** The styles of mirrored pages, once they are there; null where they are not wanted. */
function useMirrored(wanted: Direction): EmotionCache | null {
  const [mirrored, setMirrored] = useState<EmotionCache | null>(null);
  useEffect(() => {
    if (wanted !== "rtl") return;
    let here = true;
    void import("../theme/mirrored").then(({ mirroredCache }) => {
      if (here) setMirrored((before) => before ?? mirroredCache(options));
    });
    return () => {
      here = false;
    };
  }, [wanted]);
  return wanted === "rtl" ? mirrored : null;
}

/** Whether a media query holds, now and when that changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => {
        list.removeEventListener("change", listener);
      };
    },
    () => matchMedia(query).matches,
  );
}
