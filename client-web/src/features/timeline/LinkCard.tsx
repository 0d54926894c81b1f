import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { useLinkPreview } from "../../matrix/linkPreview";
import { useMedia } from "../../matrix/media";
import { linkBox } from "./linkBox";

const PICTURE = { width: 72, height: 72, crop: true };

const line = { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" } as const;

/** What a link leads to. As high before it is known, and where there is nothing to show, as after: nothing moves. */
export function LinkCard({ url }: { url: string }) {
  const { t } = useTranslation();
  const preview = useLinkPreview(url);
  const { url: picture } = useMedia(preview?.image ?? null, PICTURE);
  const { hostname, pathname } = new URL(url);
  const host = hostname.replace(/^www\./, "");
  return (
    <Box
      component="a"
      href={url}
      target="_blank"
      rel="noopener noreferrer nofollow"
      aria-label={t("messages.link", { title: preview?.title || host })}
      sx={{
        ...linkBox,
        color: "inherit",
        textDecoration: "none",
        "&:hover": { borderColor: "border.control" },
        "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 1 },
      }}
    >
      <Box sx={{ flex: 1, minWidth: 0, p: 1.25, opacity: preview === undefined ? 0.6 : 1 }}>
        <Box sx={{ typography: "caption", color: "text.secondary", ...line }}>{preview?.site || host}</Box>
        <Box dir="auto" sx={{ fontWeight: 600, ...line }}>
          {preview?.title || host}
        </Box>
        <Box dir="auto" sx={{ typography: "body2", color: "text.secondary", ...line }}>
          {preview?.text || decode(pathname)}
        </Box>
      </Box>
      {preview?.image && (
        <Box sx={{ width: 84, flex: "none", bgcolor: "surface.code" }}>
          {picture && (
            <Box
              component="img"
              src={picture}
              alt=""
              sx={{ display: "block", width: "100%", height: "100%", objectFit: "cover" }}
            />
          )}
        </Box>
      )}
    </Box>
  );
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
