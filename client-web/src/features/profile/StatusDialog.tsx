import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { reasonOf } from "../../matrix/requests";
import { StatusForm } from "./StatusForm";

/** What one says of oneself. */
export function StatusDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [failure, setFailure] = useState("");
  return (
    <Sheet title={t("settings.person.statusTitle")} onClose={onClose}>
      <Box sx={{ pt: 1, pb: 2, display: "flex", flexDirection: "column", gap: 2 }}>
        {failure && (
          <Alert severity="error" variant="outlined">
            {t("common.failed", { reason: failure })}
          </Alert>
        )}
        <StatusForm
          attempt={async (action) => {
            setFailure("");
            try {
              await action;
              tell(t("common.saved"));
              onClose();
              return true;
            } catch (error) {
              setFailure(reasonOf(error));
              return false;
            }
          }}
        />
      </Box>
    </Sheet>
  );
}
