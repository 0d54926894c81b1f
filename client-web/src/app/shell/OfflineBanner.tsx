import CloudOff from "@mui/icons-material/CloudOffOutlined";
import Box from "@mui/material/Box";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";

/** Shorter interruptions are nobody's business. */
const AFTER = 3000;

/** Says that the connection is gone, after it has been for a while. Above the panes: it covers nothing. */
export function OfflineBanner({ offline }: { offline: boolean }) {
  const { t } = useTranslation();
  const online = useOnline();
  const shown = useHeld(offline || !online);
  const text = t("app.offline");
  useEffect(() => {
    if (shown) announce(text);
  }, [shown, text]);
  if (!shown) return null;
  return (
    <Box
      data-testid="offline"
      sx={{
        flex: "none",
        display: "flex",
        alignItems: "center",
        justifyContent: "center",
        gap: 1,
        px: 2,
        py: 0.75,
        fontSize: "0.8125rem",
        bgcolor: "surface.code",
        borderBottom: 1,
        borderColor: "divider",
        color: "warning.main",
      }}
    >
      <CloudOff sx={{ fontSize: 18 }} aria-hidden />
      {text}
    </Box>
  );
}

/** Whether something has been so for a while; that it is over is known at once. */
function useHeld(now: boolean): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => {
      setHeld(true);
    }, AFTER);
    return () => {
      clearTimeout(timer);
      setHeld(false);
    };
  }, [now]);
  return now && held;
}

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      addEventListener("online", listener);
      addEventListener("offline", listener);
      return () => {
        removeEventListener("online", listener);
        removeEventListener("offline", listener);
      };
    },
    () => navigator.onLine,
  );
}
