import CloseIcon from "@mui/icons-material/Close";
import DownloadIcon from "@mui/icons-material/Download";
import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import type { MediaView } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { download, useMedia } from "../../matrix/media";

/** A picture as large as the screen allows. */
export function Viewer({ media, onClose }: { media: MediaView; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const { url, failed } = useMedia(media.url);
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
        <Box
          sx={{
            flex: 1,
            minWidth: 0,
            overflow: "hidden",
            textOverflow: "ellipsis",
            whiteSpace: "nowrap",
            fontWeight: 550,
            paddingInlineStart: 1,
          }}
        >
          {media.name}
        </Box>
        <IconAction
          label={t("timeline.download", { name: media.name })}
          onClick={() => void download(client, media.url, media.name)}
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
        {failed && <EmptyState title={t("timeline.noPreview")} />}
        {url && (
          <Box
            component="img"
            src={url}
            alt={media.name}
            onClick={(event) => event.stopPropagation()}
            sx={{ maxWidth: "100%", maxHeight: "100%", objectFit: "contain", borderRadius: "4px" }}
          />
        )}
      </Box>
    </Dialog>
  );
}
