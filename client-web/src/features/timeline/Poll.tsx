import Check from "@mui/icons-material/CheckCircle";
import Circle from "@mui/icons-material/RadioButtonUnchecked";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import { useTranslation } from "react-i18next";

import type { TimelineEvent } from "../../matrix/events";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { namesIn, usePoll } from "../../matrix/polls";
import { pollBox } from "./pollBox";

/** A poll: choosing, and how it stands. */
export function Poll({ event }: { event: TimelineEvent }) {
  const { t } = useTranslation();
  const me = useUserId();
  const client = useClient();
  const { question, result, choose, end } = usePoll(event);
  if (!question || !result) return null;
  const mine = question.answers.filter(({ id }) => result.votes.get(id)?.includes(me)).map(({ id }) => id);
  const shown = result.ended || (question.open && mine.length > 0);
  const best = Math.max(0, ...[...result.votes.values()].map((votes) => votes.length));
  const toggle = (id: string) => {
    if (question.most === 1) choose(mine.includes(id) ? [] : [id]);
    else if (mine.includes(id)) choose(mine.filter((one) => one !== id));
    else if (mine.length < question.most) choose([...mine, id]);
  };
  const winners = question.answers
    .filter(({ id }) => best > 0 && result.votes.get(id)?.length === best)
    .map(({ text }) => text)
    .join(", ");
  return (
    <Box role="group" aria-label={`${t("timeline.poll")}: ${question.question}`} sx={pollBox}>
      <Box sx={{ typography: "caption", color: "text.secondary" }}>
        {t(result.ended ? "messages.pollEnded" : "timeline.poll")}
        {question.most > 1 && !result.ended ? ` · ${t("messages.pollMost", { count: question.most })}` : ""}
      </Box>
      <Box dir="auto" sx={{ fontWeight: 600, mb: 0.75 }}>
        {question.question}
      </Box>
      {question.answers.map(({ id, text }) => {
        const votes = result.votes.get(id) ?? [];
        const chosen = mine.includes(id);
        const share = result.voters > 0 ? votes.length / result.voters : 0;
        return (
          <ButtonBase
            key={id}
            disabled={result.ended}
            aria-pressed={chosen}
            onClick={() => toggle(id)}
            {...(shown && votes.length > 0
              ? { "data-tip": namesIn(client, event.getRoomId()!, votes).join(", ") }
              : {})}
            sx={{
              position: "relative",
              width: "100%",
              minHeight: 36,
              "@media (pointer: coarse)": { minHeight: 44 },
              mb: 0.5,
              px: 1,
              gap: 1,
              justifyContent: "flex-start",
              textAlign: "start",
              borderRadius: "8px",
              border: 1,
              borderColor: chosen ? "primary.main" : "border.control",
              overflow: "hidden",
              "&:focus-visible": { outline: "2px solid", outlineColor: "focus", outlineOffset: 1 },
            }}
          >
            {shown && (
              <Box
                aria-hidden
                sx={{
                  position: "absolute",
                  inset: 0,
                  width: `${String(Math.round(share * 100))}%`,
                  bgcolor: "surface.selected",
                }}
              />
            )}
            <Box
              sx={{ position: "relative", display: "flex", color: chosen ? "accentText" : "text.secondary" }}
            >
              {chosen ? <Check sx={{ fontSize: 18 }} /> : <Circle sx={{ fontSize: 18 }} />}
            </Box>
            <Box dir="auto" sx={{ position: "relative", flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
              {text}
            </Box>
            {shown && (
              <Box
                sx={{
                  position: "relative",
                  typography: "caption",
                  fontWeight: votes.length === best && best > 0 ? 700 : undefined,
                  fontVariantNumeric: "tabular-nums",
                }}
              >
                {t("messages.votes", { count: votes.length })}
              </Box>
            )}
          </ButtonBase>
        );
      })}
      <Box
        sx={{
          display: "flex",
          flexWrap: "wrap",
          alignItems: "center",
          minHeight: 32,
          typography: "caption",
          color: "text.secondary",
        }}
      >
        <Box sx={{ flex: "1 0 140px" }}>
          {t("messages.voters", { count: result.voters })}
          {!shown && !result.ended
            ? ` · ${t(question.open ? "messages.pollOpen" : "messages.pollHidden")}`
            : ""}
        </Box>
        {!result.ended && event.getSender() === me && (
          <Button size="small" onClick={() => end(t("messages.pollResult", { answers: winners || "–" }))}>
            {t("messages.endPoll")}
          </Button>
        )}
      </Box>
    </Box>
  );
}
