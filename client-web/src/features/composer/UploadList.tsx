import CloseIcon from "@mui/icons-material/Close";
import ReplayIcon from "@mui/icons-material/Replay";
import Box from "@mui/material/Box";
import LinearProgress from "@mui/material/LinearProgress";
import { useTranslation } from "react-i18next";

import { FileName } from "../../components/FileName";
import { IconAction } from "../../components/IconAction";
import { useClient } from "../../matrix/MatrixProvider";
import { uploadsOf, useUploads } from "../../matrix/upload";

/** Files on their way, with progress and a way to stop each. */
export function UploadList({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const client = useClient();
  const uploads = useUploads(roomId);
  if (uploads.length === 0) return null;
  return (
    <Box
      component="ul"
      sx={{ listStyle: "none", m: 0, p: 1, pb: 0, display: "flex", flexDirection: "column", gap: 0.5 }}
    >
      {uploads.map((upload) => (
        <Box
          component="li"
          key={upload.id}
          sx={{ display: "flex", alignItems: "center", gap: 1, typography: "body2" }}
        >
          <Box sx={{ flex: 1, minWidth: 0 }}>
            <FileName name={upload.name} />
            {upload.waiting ? (
              <Box role="status" sx={{ color: "text.secondary" }}>
                {t("composer.uploadWaits")}
              </Box>
            ) : upload.error === null ? (
              <LinearProgress
                {...(upload.size > 0
                  ? { variant: "determinate", value: Math.round((upload.sent / upload.size) * 100) }
                  : { variant: "indeterminate" })}
                aria-label={t("composer.uploading", { name: upload.name })}
              />
            ) : (
              <Box role="alert" sx={{ color: "dangerText" }}>
                {upload.error === "too-large"
                  ? t("composer.tooLarge")
                  : upload.error === "failed"
                    ? t("composer.uploadFailed")
                    : upload.error}
              </Box>
            )}
          </Box>
          {upload.error !== null && upload.error !== "too-large" && (
            <IconAction
              label={t("composer.retryUpload", { name: upload.name })}
              onClick={() => void uploadsOf(client).retry(roomId, upload.id)}
            >
              <ReplayIcon fontSize="small" />
            </IconAction>
          )}
          <IconAction
            label={t("composer.cancelUpload", { name: upload.name })}
            onClick={() => uploadsOf(client).cancel(roomId, upload.id)}
          >
            <CloseIcon fontSize="small" />
          </IconAction>
        </Box>
      ))}
    </Box>
  );
}
