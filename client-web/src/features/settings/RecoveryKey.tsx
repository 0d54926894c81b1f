import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { useUserId } from "../../matrix/MatrixProvider";
import { save } from "./SecurityForm";

interface Props {
  value: string;
  /** Why it does not close yet. */
  warning: string;
  onKept: () => void;
}

/** A recovery key to be kept: read, copied or saved. */
export function RecoveryKey({ value, warning, onKept }: Props) {
  const { t } = useTranslation();
  const userId = useUserId();
  const [copied, setCopied] = useState(false);
  const [failure, setFailure] = useState("");
  const shown = useRef<HTMLElement>(null);
  // The button that made it is gone: who listens hears the key, and the next stop is the way to copy it.
  useEffect(() => shown.current?.focus(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
      setFailure("");
      announce(t("security.setUp.copied"));
    } catch {
      setFailure(t("security.setUp.copyFailed"));
    }
  };
  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2 }}>
      <Typography>{t("security.setUp.keyLead")}</Typography>
      <Box
        component="code"
        ref={shown}
        role="group"
        aria-label={t("security.setUp.keyTitle")}
        tabIndex={-1}
        data-testid="recovery-key"
        sx={{
          p: 2,
          borderRadius: 2,
          border: 1,
          borderColor: "divider",
          bgcolor: "surface.code",
          fontFamily: "ui-monospace, Menlo, Consolas, monospace",
          fontSize: "1.0625rem",
          lineHeight: 1.7,
          textAlign: "center",
          wordSpacing: "0.35em",
          userSelect: "all",
        }}
      >
        {value}
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>
        <Button variant="outlined" onClick={() => void copy()}>
          {t(copied ? "security.setUp.copied" : "security.setUp.copy")}
        </Button>
        <Button
          variant="outlined"
          onClick={() => save(`${value}\n`, `${t("security.setUp.file", { user: userId })}.txt`)}
        >
          {t("security.setUp.download")}
        </Button>
      </Box>
      {(failure || warning) && (
        <Typography role="alert" variant="body2" sx={{ color: "warning.main" }}>
          {failure || warning}
        </Typography>
      )}
      <Button variant="contained" onClick={onKept}>
        {t("security.setUp.kept")}
      </Button>
    </Box>
  );
}
