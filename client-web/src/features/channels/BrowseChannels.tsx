import SearchIcon from "@mui/icons-material/Search";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import InputBase from "@mui/material/InputBase";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../../components/Announcer";
import { useCalm } from "../../components/calm";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { ListSkeleton } from "../../components/Skeletons";
import { useChannelList, useSpaces } from "../../matrix/channelList";
import { ChannelRow } from "../../shared/ChannelRow";

/** The channels one can come into, by search, page by page. */
export function BrowseChannels({ onOpen }: { onOpen: (roomId: string) => void }) {
  const { t } = useTranslation();
  const spaces = useSpaces();
  const [term, setTerm] = useState("");
  const [space, setChosen] = useState<string | null>(null);
  const { channels, failure, more, loading, loadMore } = useChannelList(term, space);
  const waiting = useCalm(channels === null);
  const listId = useId();
  useAnnounced(channels ? t("channels.found", { count: channels.length }) : "");
  return (
    <Box sx={{ display: "flex", flexDirection: "column", height: { xs: "100%", sm: 480 }, minHeight: 0 }}>
      <InputBase
        autoFocus
        fullWidth
        value={term}
        onChange={(change) => setTerm(change.target.value)}
        placeholder={t("channels.find")}
        startAdornment={<SearchIcon aria-hidden sx={{ fontSize: 19, color: "text.secondary", mx: 1 }} />}
        inputProps={{
          "data-first": true,
          "aria-label": t("channels.find"),
          type: "search",
          "aria-controls": listId,
        }}
        sx={(theme) => ({
          height: 44,
          border: 1,
          borderColor: "border.control",
          borderRadius: "10px",
          bgcolor: "surface.input",
          "&:focus-within": {
            borderColor: theme.palette.focus,
            boxShadow: `0 0 0 ${theme.highContrast ? "2" : "1"}px ${theme.palette.focus}`,
          },
        })}
      />
      {spaces.length > 0 && (
        <Box
          role="group"
          aria-label={t("channels.where")}
          sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, pt: 1.25 }}
        >
          {[
            [null, t("channels.listed")] as const,
            ...spaces.map(({ roomId, name }) => [roomId, name] as const),
          ].map(([id, name]) => (
            <Chip
              key={id ?? "all"}
              label={name}
              size="small"
              variant="outlined"
              aria-pressed={space === id}
              onClick={() => setChosen(id)}
              sx={{
                height: 30,
                px: 0.5,
                borderColor: space === id ? "primary.main" : "border.control",
                bgcolor: space === id ? "surface.selected" : undefined,
                fontWeight: space === id ? 600 : 400,
              }}
            />
          ))}
        </Box>
      )}
      {waiting || channels === null ? (
        <Later>
          <ListSkeleton rows={6} />
        </Later>
      ) : channels.length === 0 ? (
        <EmptyState
          icon={<TagIcon />}
          title={t(failure ? "channels.failedTitle" : "channels.noneTitle")}
          text={failure || t(term.trim() ? "channels.noneFound" : "channels.noneText")}
        />
      ) : (
        <Box
          component="ul"
          id={listId}
          aria-label={t("channels.browse")}
          sx={{ listStyle: "none", m: 0, mx: -1, p: 0, pt: 1, flex: 1, minHeight: 0, overflow: "auto" }}
        >
          {channels.map((channel) => (
            <ChannelRow key={channel.roomId} channel={channel} onOpen={onOpen} />
          ))}
          {more && (
            <Box component="li" sx={{ textAlign: "center", py: 1 }}>
              <Button onClick={loadMore} loading={loading}>
                {t("channels.more")}
              </Button>
            </Box>
          )}
        </Box>
      )}
      {failure && channels && channels.length > 0 && (
        <Typography role="alert" variant="body2" sx={{ color: "dangerText" }}>
          {t("common.failed", { reason: failure })}
        </Typography>
      )}
    </Box>
  );
}
