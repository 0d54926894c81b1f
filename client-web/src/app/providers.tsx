import createCache from "@emotion/cache";
import { CacheProvider } from "@emotion/react";
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";

import { languageFor, languages, speak } from "../i18n";
import { usePreferences } from "../preferences/store";
import { themeFor } from "../theme/theme";
import { painted } from "../theme/themes";

/** The number the server put into the page: without it the browser refuses our styles. */
const nonce = document.querySelector<HTMLElement>("meta[property='csp-nonce']")?.nonce;
const cache = createCache({ key: "o", ...(nonce ? { nonce } : {}) });

/** Theme, language and direction, as the preferences say. */
export function Providers({ children }: { children: ReactNode }) {
  const chosen = usePreferences();
  const dark = useMedia("(prefers-color-scheme: dark)");
  const name = painted(chosen.theme, dark);
  const theme = themeFor(name, chosen.density);
  const language = languageFor(chosen.language);

  useEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = name;
    root.dataset.motion = chosen.motion;
    root.style.fontSize = `${String(chosen.font_size)}%`;
    document
      .querySelector("meta[name='theme-color']")
      ?.setAttribute("content", theme.palette.surface.sidebar);
  }, [name, chosen.motion, chosen.font_size, theme]);

  useEffect(() => {
    void speak(language);
    document.documentElement.lang = language;
    document.documentElement.dir = languages[language].direction;
  }, [language]);

  return (
    <CacheProvider value={cache}>
      <ThemeProvider theme={theme}>
        <CssBaseline enableColorScheme />
        {children}
      </ThemeProvider>
    </CacheProvider>
  );
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
