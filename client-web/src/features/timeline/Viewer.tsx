import CloseIcon from "@mui/icons-material/Close";
import DownloadIcon from "@mui/icons-material/Download";
import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { FileName } from "../../components/FileName";
import { IconAction } from "../../components/IconAction";
import type { MediaView } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { useMedia } from "../../matrix/media";
import { saveFile } from "../../shared/saveFile";
import { reserved } from "./Attachment";

/** A picture as large as the screen allows. */
export function Viewer({ media, onClose }: { media: MediaView; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const { url, failed } = useMedia(media.url);
  // The small picture, which is there already, stands in its place until the large one is.
  const { url: small } = useMedia(media.url, reserved(media));
  const [broken, setBroken] = useState(false);
  const shown = failed || broken ? null : (url ?? small);
  return (
    <Dialog
      fullScreen
      open
      onClose={onClose}
      slotProps={{ paper: { "aria-label": t("timeline.image", { name: media.name }) } }}
    >
      <Box
        sx={{ display: "flex", alignItems: "center", gap: 1, p: 1, borderBottom: 1, borderColor: "divider" }}
      >
        <Box sx={{ flex: 1, minWidth: 0, fontWeight: 550, paddingInlineStart: 1 }}>
          <FileName name={media.name} />
        </Box>
        <IconAction
          label={t("timeline.download", { name: media.name })}
          onClick={() => void saveFile(client, media, t)}
        >
          <DownloadIcon />
        </IconAction>
        <IconAction label={t("timeline.close")} onClick={onClose} autoFocus>
          <CloseIcon />
        </IconAction>
      </Box>
      <Box
        onClick={onClose}
        sx={{
          flex: 1,
          minHeight: 0,
          display: "grid",
          placeItems: "center",
          p: 2,
          bgcolor: "surface.messages",
        }}
      >
        {(failed || broken) && <EmptyState title={t("timeline.noPreview")} />}
        {shown && (
          <Box
            component="img"
            src={shown}
            alt={media.name}
            onError={() => setBroken(true)}
            onClick={(event) => event.stopPropagation()}
            sx={{
              ...(media.width !== null &&
                media.height !== null && { width: media.width, height: media.height }),
              maxWidth: "100%",
              maxHeight: "100%",
              objectFit: "contain",
            }}
          />
        )}
      </Box>
    </Dialog>
  );
}
