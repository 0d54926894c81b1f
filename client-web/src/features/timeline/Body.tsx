import Box from "@mui/material/Box";
import { memo, useEffect, useMemo, useRef, type KeyboardEvent, type MouseEvent } from "react";

import { withEndMark, type EndMark } from "./endMark";
import { highlight } from "./highlight";
import { isJustEmoji, linkify, sanitise } from "./sanitise";

/** Opens a person or room that a pill names. */
export type OpenMatrix = (id: string, eventId: string | null) => void;

/** How a mark at the end is written. */
export const endMark = { typography: "caption", color: "text.secondary", whiteSpace: "nowrap" } as const;

const formatted = {
  overflowWrap: "anywhere",
  "& p": { m: 0 },
  "& p + p, & ul + p, & ol + p, & pre + p, & blockquote + p": { mt: 1 },
  "& ul, & ol": { my: 0.5, paddingInlineStart: 3 },
  "& blockquote": {
    m: 0,
    my: 0.5,
    paddingInlineStart: 1.5,
    borderInlineStart: "3px solid",
    borderColor: "border.control",
    color: "text.secondary",
  },
  "& h1, & h2, & h3, & h4, & h5, & h6": {
    fontSize: "1.0625rem",
    fontWeight: 650,
    lineHeight: 1.35,
    mt: 1,
    mb: 0.5,
  },
  "& h1:first-child, & h2:first-child, & h3:first-child": { mt: 0 },
  "& code": {
    fontFamily: "ui-monospace, 'Cascadia Mono', Menlo, Consolas, monospace",
    fontSize: "0.875em",
    bgcolor: "surface.code",
    borderRadius: "4px",
    px: "4px",
    py: "1px",
  },
  "& pre": {
    m: 0,
    my: 0.5,
    p: 1.25,
    borderRadius: "8px",
    bgcolor: "surface.code",
    overflowX: "auto",
    maxHeight: 420,
    border: 1,
    borderColor: "divider",
  },
  "& pre code": { p: 0, bgcolor: "transparent", whiteSpace: "pre", overflowWrap: "normal" },
  "& a": { color: "accentText" },
  "& hr": { border: 0, borderTop: 1, borderColor: "divider", my: 1 },
  "& table": { borderCollapse: "collapse", my: 0.5, display: "block", overflowX: "auto" },
  "& th, & td": { border: 1, borderColor: "divider", px: 1, py: 0.5, textAlign: "start" },
  "& .pill": {
    color: "accentText",
    bgcolor: "surface.selected",
    borderRadius: "4px",
    px: "4px",
    py: "1px",
    fontWeight: 550,
    textDecoration: "none",
    cursor: "pointer",
  },
  "& .end-mark": endMark,
  "& .pill-me": { bgcolor: "primary.main", color: "primary.contrastText" },
  "& .spoiler": { cursor: "pointer", borderRadius: "4px", bgcolor: "text.secondary", color: "transparent" },
  "& .spoiler *": { visibility: "hidden" },
  "& .spoiler[aria-pressed=true]": { bgcolor: "surface.code", color: "inherit" },
  "& .spoiler[aria-pressed=true] *": { visibility: "visible" },
  "& .hljs-keyword, & .hljs-built_in, & .hljs-literal, & .hljs-tag, & .hljs-name": {
    color: "syntax.keyword",
  },
  "& .hljs-string, & .hljs-regexp, & .hljs-attr": { color: "syntax.string" },
  "& .hljs-comment, & .hljs-quote, & .hljs-meta": { color: "syntax.comment" },
  "& .hljs-number, & .hljs-symbol": { color: "syntax.number" },
  "& .hljs-title, & .hljs-attribute, & .hljs-type, & .hljs-selector-class": { color: "syntax.name" },
} as const;

interface Props {
  body: string;
  html: string | null;
  me: string;
  onOpen: OpenMatrix;
  /** Stands behind the last word. */
  mark?: EndMark | null;
}

/** What a message says. */
export const Body = memo(function Body({ body, html, me, onOpen, mark = null }: Props) {
  const safe = useMemo(() => (html === null ? null : sanitise(html, me)), [html, me]);
  const whole = useMemo(
    () => (safe === null || mark === null ? safe : withEndMark(safe, mark)),
    [safe, mark],
  );
  return whole === null ? <Plain text={body} mark={mark} /> : <Formatted html={whole} onOpen={onOpen} />;
});

function Plain({ text, mark }: { text: string; mark: EndMark | null }) {
  const parts = useMemo(() => linkify(text), [text]);
  const large = isJustEmoji(text);
  return (
    <Box
      dir="auto"
      sx={{
        whiteSpace: "pre-wrap",
        overflowWrap: "anywhere",
        "& a": { color: "accentText" },
        ...(large && { fontSize: "2rem", lineHeight: 1.25 }),
      }}
    >
      {parts.map((part, index) =>
        part.href ? (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
      {mark && (
        <>
          {" "}
          <Box component="span" title={mark.title} sx={endMark}>
            {mark.text}
          </Box>
        </>
      )}
    </Box>
  );
}

function Formatted({ html, onOpen }: { html: string; onOpen: OpenMatrix }) {
  const root = useRef<HTMLDivElement>(null);
  const content = useMemo(() => ({ __html: html }), [html]);
  useEffect(() => {
    let here = true;
    if (root.current && html.includes("language-")) void highlight(root.current, () => here);
    return () => {
      here = false;
    };
  }, [html]);

  const act = (target: EventTarget, event: MouseEvent | KeyboardEvent) => {
    if (!(target instanceof Element)) return;
    const spoiler = target.closest<HTMLElement>(".spoiler");
    if (spoiler) {
      spoiler.setAttribute("aria-pressed", String(spoiler.getAttribute("aria-pressed") !== "true"));
      event.preventDefault();
      return;
    }
    const pill = target.closest<HTMLElement>("[data-matrix]");
    if (pill) {
      event.preventDefault();
      onOpen(pill.dataset["matrix"]!, pill.dataset["event"] ?? null);
    }
  };
  return (
    <Box
      ref={root}
      dir="auto"
      sx={formatted}
      onClick={(event) => act(event.target, event)}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") act(event.target, event);
      }}
      dangerouslySetInnerHTML={content}
    />
  );
}
