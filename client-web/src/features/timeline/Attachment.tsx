import DescriptionIcon from "@mui/icons-material/DescriptionOutlined";
import DownloadIcon from "@mui/icons-material/Download";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import type { MediaView } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { download, useMedia } from "../../matrix/media";

const Viewer = lazy(() => import("./Viewer").then((part) => ({ default: part.Viewer })));

const MAX_WIDTH = 380;
const MAX_HEIGHT = 300;

/** The room a picture takes, known before it is there. */
export function reserved(media: MediaView): { width: number; height: number } {
  const width = media.width ?? 320;
  const height = media.height ?? 240;
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { width: Math.max(48, Math.round(width * scale)), height: Math.max(32, Math.round(height * scale)) };
}

/** "1.2 MB". */
export function sizeText(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[unit]!,
    unitDisplay: "short",
    maximumFractionDigits: unit > 1 ? 1 : 0,
  }).format(value);
}

/** A picture in the timeline; opens the viewer. */
export function Picture({ media }: { media: MediaView }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const size = reserved(media);
  const animated = media.type === "image/gif";
  const { url, failed } = useMedia(media.url, animated ? null : { width: size.width, height: size.height });
  if (failed) return <FileCard media={media} />;
  return (
    <>
      <ButtonBase
        onClick={() => setOpen(true)}
        aria-label={t("timeline.open", { name: media.name })}
        sx={{
          display: "block",
          width: size.width,
          maxWidth: "100%",
          aspectRatio: `${String(size.width)} / ${String(size.height)}`,
          borderRadius: "8px",
          overflow: "hidden",
          bgcolor: "surface.code",
          my: 0.5,
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 2 },
        }}
      >
        {url && (
          <Box
            component="img"
            src={url}
            alt={media.name}
            draggable={false}
            sx={{ display: "block", width: "100%", height: "100%", objectFit: "cover" }}
          />
        )}
      </ButtonBase>
      {open && (
        <Suspense fallback={null}>
          <Viewer media={media} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

/** Film or sound. */
export function Player({ media, kind }: { media: MediaView; kind: "video" | "audio" }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState(false);
  const { url, failed } = useMedia(wanted ? media.url : null);
  if (failed || !wanted || !url)
    return <FileCard media={media} onPlay={failed ? undefined : () => setWanted(true)} />;
  const size = reserved(media);
  return kind === "video" ? (
    <Box
      component="video"
      src={url}
      controls
      autoPlay
      aria-label={t("timeline.video", { name: media.name })}
      sx={{ ...size, maxWidth: "100%", borderRadius: "8px", my: 0.5 }}
    />
  ) : (
    <Box
      component="audio"
      src={url}
      controls
      autoPlay
      aria-label={t("timeline.audio", { name: media.name })}
      sx={{ width: 320, maxWidth: "100%", my: 0.5 }}
    />
  );
}

/** A file as a card with its name, size and a way to save it. */
export function FileCard({ media, onPlay }: { media: MediaView; onPlay?: (() => void) | undefined }) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const name = media.name || t("timeline.file", { name: "" });
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1.25,
        width: 340,
        maxWidth: "100%",
        my: 0.5,
        p: 1,
        border: 1,
        borderColor: "divider",
        borderRadius: "10px",
        bgcolor: "surface.code",
      }}
    >
      <Box
        aria-hidden
        sx={{
          width: 36,
          height: 36,
          borderRadius: "8px",
          display: "grid",
          placeItems: "center",
          bgcolor: "surface.selected",
          color: "accentText",
          flex: "none",
        }}
      >
        <DescriptionIcon fontSize="small" />
      </Box>
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Box
          component={onPlay ? "button" : "div"}
          onClick={onPlay}
          title={name}
          sx={{
            all: "unset",
            display: "block",
            maxWidth: "100%",
            overflow: "hidden",
            textOverflow: "ellipsis",
            whiteSpace: "nowrap",
            fontWeight: 550,
            ...(onPlay && { cursor: "pointer", color: "accentText" }),
          }}
        >
          {name}
        </Box>
        <Box sx={{ typography: "caption", color: "text.secondary" }}>
          {[
            media.size === null ? null : sizeText(media.size, i18n.language),
            media.type.split("/")[1]?.toUpperCase().slice(0, 12),
          ]
            .filter(Boolean)
            .join(" · ")}
        </Box>
      </Box>
      <IconAction
        label={t("timeline.download", { name })}
        onClick={() => void download(client, media.url, media.name)}
      >
        <DownloadIcon fontSize="small" />
      </IconAction>
    </Box>
  );
}
