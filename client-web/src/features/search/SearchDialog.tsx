import Close from "@mui/icons-material/Close";
import SearchIcon from "@mui/icons-material/Search";
import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import LinearProgress from "@mui/material/LinearProgress";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, announce } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import { Later } from "../../components/Later";
import { openDirect } from "../../matrix/directory";
import { useClient } from "../../matrix/MatrixProvider";
import { joinRoom } from "../../matrix/roomActions";
import { roomStore, useRooms } from "../../matrix/rooms";
import type { FoundChannel, FoundMessage } from "../../matrix/search";
import { Found } from "./Found";
import { read, type Typed, written } from "./query";
import { SearchField } from "./SearchField";
import { type Kind, kinds, useResults } from "./useResults";

interface Props {
  /** What is looked for at first, as `written` writes it. */
  line: string;
  /** Keeps what is looked for in the address, for whoever comes back. */
  onKeep: (line: string) => void;
  onOpenRoom: (roomId: string, eventId: string | null) => void;
  onClose: () => void;
}

/** Search over everything: messages, files, people, channels. */
export function SearchDialog({ line, onKeep, onOpenRoom, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const theme = useTheme();
  const narrow = useMediaQuery(theme.breakpoints.down("sm"));
  const [typed, setTyped] = useState<Typed>(() => read(line));
  const [only, setOnly] = useState<Kind | null>(null);
  const body = useRef<HTMLDivElement>(null);
  const wanted = useMemo<readonly Kind[]>(() => (only ? [only] : kinds), [only]);
  // All kinds are asked for at once, so that going from one to another asks nothing anew.
  const { isQuestion, results, pending, more, retry } = useResults(typed, kinds);
  const secret = useSecret();

  const total = wanted.reduce((sum, kind) => sum + (results[kind]?.items.length ?? 0), 0);
  useEffect(() => {
    if (isQuestion && !pending) announce(t("search.found", { count: total }));
  }, [isQuestion, pending, total, t]);

  const leave = (roomId: string, eventId: string | null) => {
    onKeep(written(typed));
    onOpenRoom(roomId, eventId);
  };
  const openMessage = (hit: FoundMessage) => leave(hit.roomId, hit.eventId);
  const failed = (reason: unknown) =>
    alert(t("search.joinFailed", { reason: reason instanceof Error ? reason.message : String(reason) }));
  const openPerson = (userId: string) => {
    openDirect(client, userId).then((roomId) => leave(roomId, null), failed);
  };
  const openChannel = ({ roomId, joined }: FoundChannel) => {
    const going = joined ? Promise.resolve(roomId) : joinRoom(client, roomId);
    going.then((id) => leave(id, null), failed);
  };
  const intoResults = () => body.current?.querySelector<HTMLElement>("[data-hit]")?.focus();

  return (
    <Dialog
      open
      onClose={onClose}
      fullScreen={narrow}
      fullWidth
      maxWidth="md"
      transitionDuration={80}
      slotProps={{
        paper: {
          "aria-label": t("search.title"),
          sx: {
            height: { sm: "min(760px, 84dvh)" },
            mt: { sm: "7vh" },
            mb: { sm: "auto" },
            overflow: "hidden",
          },
        },
      }}
    >
      <Box
        data-search
        sx={{
          display: "flex",
          gap: 1,
          p: { xs: 1, sm: 1.5 },
          pb: "4px !important",
          alignItems: "flex-start",
        }}
      >
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <SearchField
            typed={typed}
            onChange={setTyped}
            placeholder={t("search.placeholder")}
            onDown={intoResults}
          />
        </Box>
        <IconAction label={t("common.close")} onClick={onClose} sx={{ mt: "4px" }}>
          <Close fontSize="small" />
        </IconAction>
      </Box>
      {isQuestion && (
        <Tabs
          value={only ?? "all"}
          onChange={(_event, value: Kind | "all") => setOnly(value === "all" ? null : value)}
          variant="scrollable"
          scrollButtons={false}
          aria-label={t("search.kinds")}
          sx={{
            px: 1,
            minHeight: 40,
            flex: "none",
            borderBottom: 1,
            borderColor: "divider",
            "& .MuiTab-root": {
              minHeight: 40,
              minWidth: 0,
              px: 1.5,
              "@media (pointer: coarse)": { minWidth: 48 },
            },
          }}
        >
          <Tab value="all" label={t("search.all")} id="search-tab-all" aria-controls="search-found" />
          {kinds.map((kind) => {
            const group = results[kind];
            const count =
              group && group.status === "ready" ? Math.max(group.count, group.items.length) : null;
            return (
              <Tab
                key={kind}
                value={kind}
                id={`search-tab-${kind}`}
                aria-controls="search-found"
                disabled={group === null}
                label={
                  <span>
                    {t(`search.${kind}`)}
                    {count !== null && (
                      <Box
                        component="span"
                        sx={{ color: "text.secondary", fontWeight: 400, marginInlineStart: 0.75 }}
                      >
                        {count > 99 ? "99+" : count}
                      </Box>
                    )}
                  </span>
                }
              />
            );
          })}
        </Tabs>
      )}
      <Box sx={{ height: 2, flex: "none" }}>
        {pending && (
          <Later>
            <LinearProgress sx={{ height: 2 }} aria-label={t("search.searching")} />
          </Later>
        )}
      </Box>
      <Box
        ref={body}
        role={isQuestion ? "tabpanel" : undefined}
        id="search-found"
        aria-labelledby={isQuestion ? `search-tab-${only ?? "all"}` : undefined}
        tabIndex={isQuestion && total === 0 ? 0 : undefined}
        sx={{ flex: 1, minHeight: 0, overflowY: "auto", px: 1, display: "flex", flexDirection: "column" }}
      >
        {isQuestion ? (
          <Found
            results={results}
            pending={pending}
            only={only}
            withRoom
            onOpenMessage={openMessage}
            onOpenPerson={openPerson}
            onOpenChannel={openChannel}
            onOnly={setOnly}
            onMore={more}
            onRetry={retry}
          />
        ) : (
          <EmptyState icon={<SearchIcon />} title={t("search.emptyTitle")} text={t("search.emptyText")} />
        )}
      </Box>
      {secret && (
        <Box
          sx={{
            px: 2,
            py: 0.75,
            typography: "caption",
            color: "text.secondary",
            borderTop: 1,
            borderColor: "divider",
          }}
        >
          {t("search.encrypted")}
        </Box>
      )}
    </Dialog>
  );
}

/** Whether there are conversations that cannot be searched. */
function useSecret(): boolean {
  const store = roomStore(useClient());
  const { direct, channels, groups } = useRooms();
  return [...direct, ...channels, ...groups].some((roomId) => store.getSummary(roomId)?.encrypted);
}
