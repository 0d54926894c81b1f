import SearchOff from "@mui/icons-material/SearchOff";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { ListSkeleton } from "../../components/Skeletons";
import type { FoundChannel, FoundMessage } from "../../matrix/search";
import { ChannelHit, FileHit, MessageHit, PersonHit } from "./Hits";
import { type Kind, kinds, type Results } from "./useResults";

/** How many of each kind stand together; the rest has a page of its own. */
const TOGETHER = { messages: 5, files: 4, people: 4, channels: 4 } as const;

interface Props {
  results: Results;
  pending: boolean;
  /** Only this kind; null for all together. */
  only: Kind | null;
  /** Whether hits say in which room they are. */
  withRoom: boolean;
  onOpenMessage: (hit: FoundMessage) => void;
  onOpenPerson: (userId: string) => void;
  onOpenChannel: (channel: FoundChannel) => void;
  onOnly: (kind: Kind) => void;
  onMore: (kind: "messages" | "files") => Promise<void>;
  onRetry: () => void;
}

/** What was found, by kind. */
export function Found(props: Props) {
  const { results, pending, only, onRetry } = props;
  const { t } = useTranslation();
  const root = useRef<HTMLDivElement>(null);
  const asked = kinds.filter((kind) => results[kind] !== null && (only === null || kind === only));
  const failed = asked.length > 0 && asked.every((kind) => results[kind]?.status === "failed");
  const total = asked.reduce((sum, kind) => sum + (results[kind]?.items.length ?? 0), 0);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = [...(root.current?.querySelectorAll<HTMLElement>("[data-hit]") ?? [])];
    const at = rows.findIndex((row) => row === document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) document.querySelector<HTMLElement>("[data-search] input")?.focus();
    else rows[next]?.focus();
  };

  if (failed)
    return (
      <EmptyState
        icon={<SearchOff />}
        title={t("search.failed")}
        text={t("search.failedText")}
        actions={
          <Button variant="contained" onClick={onRetry}>
            {t("search.again")}
          </Button>
        }
      />
    );
  if (total === 0)
    return pending || asked.some((kind) => results[kind]?.status === "loading") ? (
      <Later>
        <ListSkeleton rows={6} height={52} />
      </Later>
    ) : (
      <EmptyState icon={<SearchOff />} title={t("search.nothing")} text={t("search.nothingText")} />
    );
  return (
    <Box ref={root} onKeyDown={onKeyDown} aria-busy={pending} sx={{ pb: 1.5 }}>
      {asked.map((kind) => (
        <Kinds key={kind} kind={kind} {...props} />
      ))}
    </Box>
  );
}

const list = { listStyle: "none", m: 0, p: 0 } as const;

function Kinds({
  kind,
  results,
  only,
  withRoom,
  onOpenMessage,
  onOpenPerson,
  onOpenChannel,
  onOnly,
  onMore,
}: Props & { kind: Kind }) {
  const { t } = useTranslation();
  const group = results[kind];
  if (!group || group.items.length === 0) return null;
  const all = only === kind;
  const shown = all ? group.items.length : TOGETHER[kind];
  const rest = group.items.length > shown || (group.next !== null && !all);
  const words = group.highlights;
  let rows: ReactNode;
  if (kind === "messages" || kind === "files") {
    const Hit = kind === "messages" ? MessageHit : FileHit;
    rows = results[kind]?.items
      .slice(0, shown)
      .map((hit) => (
        <Hit key={hit.eventId} hit={hit} words={words} withRoom={withRoom} onOpen={onOpenMessage} />
      ));
  } else if (kind === "people")
    rows = results.people?.items
      .slice(0, shown)
      .map((person) => (
        <PersonHit key={person.userId} person={person} words={words} onMessage={onOpenPerson} />
      ));
  else
    rows = results.channels?.items
      .slice(0, shown)
      .map((channel) => (
        <ChannelHit key={channel.roomId} channel={channel} words={words} onOpen={onOpenChannel} />
      ));
  return (
    <Box component="section" aria-label={t(`search.${kind}`)}>
      {only === null && (
        <Box sx={{ display: "flex", alignItems: "center", px: 1.25, pt: 1.5, pb: 0.25, minHeight: 40 }}>
          <Typography
            component="h3"
            sx={{ flex: 1, typography: "caption", fontWeight: 650, color: "text.secondary" }}
          >
            {t(`search.${kind}`)}
          </Typography>
          {rest && (
            <Button size="small" onClick={() => onOnly(kind)}>
              {t("search.showAll", { kind: t(`search.${kind}`) })}
            </Button>
          )}
        </Box>
      )}
      <Box component="ul" sx={list}>
        {rows}
      </Box>
      {all && group.next !== null && (kind === "messages" || kind === "files") && (
        <Box sx={{ textAlign: "center", pt: 1 }}>
          <Button onClick={() => void onMore(kind)}>{t("search.more")}</Button>
        </Box>
      )}
    </Box>
  );
}
