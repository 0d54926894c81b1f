import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useTranslation } from "react-i18next";

import type { Scanned, VerificationView } from "../../matrix/encryption/verification";
import { Buttons } from "./Buttons";
import { QrCode } from "./QrCode";
import { Scanner } from "./Scanner";

interface Props {
  view: VerificationView;
  /** Whether the camera is on. */
  scanning: boolean;
  onScanning: (scanning: boolean) => void;
  onScan: (code: string) => Promise<Scanned>;
  onCompare: () => void;
}

/** A code to show, one to scan, or emoji: whatever both sides can. */
export function Choice({ view, scanning, onScanning, onScan, onCompare }: Props) {
  const { t } = useTranslation();
  const { code, scans } = view;
  return (
    <>
      {scanning ? (
        <Scanner onCode={onScan} />
      ) : (
        code !== null && (
          <Box sx={{ display: "grid", justifyItems: "center" }}>
            <QrCode code={code} label={t("security.verify.code")} />
          </Box>
        )
      )}
      <Buttons>
        <Button variant={scans || code !== null ? "text" : "contained"} onClick={onCompare}>
          {t("security.verify.emojiInstead")}
        </Button>
        {(scans || scanning) && (
          <Button
            variant={code === null && !scanning ? "contained" : "outlined"}
            onClick={() => onScanning(!scanning)}
          >
            {t(
              !scanning
                ? "security.verify.scan"
                : code !== null
                  ? "security.verify.showCode"
                  : "security.verify.stopScanning",
            )}
          </Button>
        )}
      </Buttons>
    </>
  );
}
