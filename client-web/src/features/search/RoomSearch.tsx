import SearchIcon from "@mui/icons-material/Search";
import Box from "@mui/material/Box";
import LinearProgress from "@mui/material/LinearProgress";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { PanelHeader } from "../../components/PanelHeader";
import { useRoom } from "../../matrix/rooms";
import type { FoundMessage } from "../../matrix/search";
import { Found } from "./Found";
import type { FilterKey, Typed } from "./query";
import { SearchField } from "./SearchField";
import { useResults } from "./useResults";

interface Props {
  roomId: string;
  onJump: (eventId: string) => void;
  onClose: () => void;
}

const OFFERED: readonly FilterKey[] = ["from", "has", "before", "after"];
const KINDS = ["messages", "files"] as const;
const nothing = () => undefined;

/** Search in one conversation, beside it: what is found stays while one looks at it there. */
export function RoomSearch({ roomId, onJump, onClose }: Props) {
  const { t } = useTranslation();
  const room = useRoom(roomId);
  const [typed, setTyped] = useState<Typed>({ words: "", filters: [] });
  const body = useRef<HTMLDivElement>(null);
  const here = useMemo<Typed>(
    () => ({ ...typed, filters: [...typed.filters, { key: "in", value: roomId }] }),
    [typed, roomId],
  );
  const { isQuestion, results, pending, more, retry } = useResults(here, KINDS);
  const [only, setOnly] = useState<"messages" | "files" | null>(null);
  const total = (results.messages?.items.length ?? 0) + (results.files?.items.length ?? 0);
  useEffect(() => {
    if (isQuestion && !pending) announce(t("search.found", { count: total }));
  }, [isQuestion, pending, total, t]);
  return (
    <>
      <PanelHeader title={t("search.inRoom")} closeLabel={t("search.closePanel")} onClose={onClose} />
      <Box
        data-search
        sx={{ p: 1, pb: 0.5 }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !event.defaultPrevented) onClose();
        }}
      >
        <SearchField
          typed={typed}
          onChange={(next) => {
            setOnly(null);
            setTyped(next);
          }}
          placeholder={t("search.inRoom")}
          offered={OFFERED}
          onDown={() => body.current?.querySelector<HTMLElement>("[data-hit]")?.focus()}
        />
      </Box>
      <Box sx={{ height: 2, flex: "none" }}>
        {pending && (
          <Later>
            <LinearProgress sx={{ height: 2 }} aria-label={t("search.searching")} />
          </Later>
        )}
      </Box>
      <Box
        ref={body}
        sx={{ flex: 1, minHeight: 0, overflowY: "auto", px: 0.5, display: "flex", flexDirection: "column" }}
      >
        {isQuestion ? (
          <Found
            results={results}
            pending={pending}
            only={only}
            withRoom={false}
            onOpenMessage={(hit: FoundMessage) => onJump(hit.eventId)}
            onOpenPerson={nothing}
            onOpenChannel={nothing}
            onOnly={(kind) => {
              if (kind === "messages" || kind === "files") setOnly(kind);
            }}
            onMore={more}
            onRetry={retry}
          />
        ) : (
          <EmptyState
            icon={<SearchIcon />}
            title={t("search.inRoom")}
            text={t(room?.encrypted ? "search.encrypted" : "search.emptyRoom")}
          />
        )}
      </Box>
    </>
  );
}
