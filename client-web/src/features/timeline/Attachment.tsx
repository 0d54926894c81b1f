import DescriptionIcon from "@mui/icons-material/DescriptionOutlined";
import DownloadIcon from "@mui/icons-material/Download";
import PlayIcon from "@mui/icons-material/PlayArrow";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { FileName } from "../../components/FileName";
import { IconAction } from "../../components/IconAction";
import { sizeText } from "../../i18n/sizes";
import type { MediaView } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { useMedia } from "../../matrix/media";
import { saveFile } from "../../shared/saveFile";
import { later } from "../../i18n/later";

const Viewer = later(() => import("./Viewer").then((part) => part.Viewer));

const MAX_WIDTH = 380;
const MAX_HEIGHT = 300;

/** The room a picture takes, known before it is there. */
export function reserved(media: MediaView): { width: number; height: number } {
  const width = media.width ?? 320;
  const height = media.height ?? 240;
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { width: Math.max(48, Math.round(width * scale)), height: Math.max(32, Math.round(height * scale)) };
}

/** A picture in the timeline; opens the viewer. One that moves does so while somebody points at it, for reading needs calm. */
export function Picture({ media }: { media: MediaView }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const size = reserved(media);
  const animated = media.type === "image/gif";
  const [playing, setPlaying] = useState(false);
  const { url, failed } = useMedia(media.url, { width: size.width, height: size.height });
  const moving = useMedia(animated && playing ? media.url : null).url;
  const [broken, setBroken] = useState(false);
  if (failed || broken) return <FileCard media={media} />;
  return (
    <>
      <ButtonBase
        onClick={() => setOpen(true)}
        {...(animated && {
          onPointerEnter: () => setPlaying(true),
          onPointerLeave: () => setPlaying(false),
          onFocus: () => setPlaying(true),
          onBlur: () => setPlaying(false),
        })}
        aria-label={t("timeline.open", { name: media.name })}
        sx={{
          display: "block",
          position: "relative",
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
            src={moving ?? url}
            alt={media.name}
            draggable={false}
            onError={() => setBroken(true)}
            sx={{ display: "block", width: "100%", height: "100%", objectFit: "cover" }}
          />
        )}
        {animated && !playing && (
          <Box
            aria-hidden
            sx={{
              position: "absolute",
              bottom: 6,
              insetInlineStart: 6,
              px: 0.75,
              borderRadius: "4px",
              bgcolor: "surface.raised",
              color: "text.primary",
              typography: "caption",
              fontWeight: 650,
            }}
          >
            GIF
          </Box>
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
  const size = reserved(media);
  const [broken, setBroken] = useState(false);
  if (failed || broken) return <FileCard media={media} />;
  if (!wanted || !url)
    return kind === "video" ? (
      <ButtonBase
        onClick={() => setWanted(true)}
        disabled={wanted}
        aria-label={t("timeline.play", { name: media.name })}
        sx={{
          display: "grid",
          placeItems: "center",
          width: size.width,
          maxWidth: "100%",
          aspectRatio: `${String(size.width)} / ${String(size.height)}`,
          my: 0.5,
          borderRadius: "8px",
          bgcolor: "surface.code",
          border: 1,
          borderColor: "divider",
          color: "accentText",
          "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 2 },
        }}
      >
        <PlayIcon aria-hidden sx={{ fontSize: 48, opacity: wanted ? 0.5 : 1 }} />
        <Box
          component="span"
          sx={{
            position: "absolute",
            bottom: 8,
            insetInline: 12,
            typography: "caption",
            color: "text.secondary",
          }}
        >
          <FileName name={media.name} />
        </Box>
      </ButtonBase>
    ) : (
      <FileCard media={media} busy={wanted} onPlay={() => setWanted(true)} />
    );
  return kind === "video" ? (
    <Box
      component="video"
      src={url}
      controls
      autoPlay
      onError={() => setBroken(true)}
      aria-label={t("timeline.video", { name: media.name })}
      sx={{ ...size, maxWidth: "100%", borderRadius: "8px", my: 0.5 }}
    />
  ) : (
    <Box
      component="audio"
      src={url}
      controls
      autoPlay
      onError={() => setBroken(true)}
      aria-label={t("timeline.audio", { name: media.name })}
      sx={{ width: 320, maxWidth: "100%", my: 0.5 }}
    />
  );
}

/** A file as a card with its name, size, and ways to play and to save it. */
export function FileCard({
  media,
  onPlay,
  busy = false,
}: {
  media: MediaView;
  onPlay?: (() => void) | undefined;
  /** It is being loaded to be played. */
  busy?: boolean;
}) {
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
      {onPlay ? (
        <IconAction
          label={t("timeline.play", { name })}
          disabled={busy}
          onClick={onPlay}
          sx={{ bgcolor: "surface.selected", color: "accentText", borderRadius: "50%" }}
        >
          <PlayIcon fontSize="small" />
        </IconAction>
      ) : (
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
      )}
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Box sx={{ fontWeight: 550 }}>
          <FileName name={name} />
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
      <IconAction label={t("timeline.download", { name })} onClick={() => void saveFile(client, media, t)}>
        <DownloadIcon fontSize="small" />
      </IconAction>
    </Box>
  );
}
