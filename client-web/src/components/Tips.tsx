import Box from "@mui/material/Box";
import { useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

const AFTER = 350;
const GAP = 6;
const EDGE = 6;

interface Tip {
  text: string;
  at: DOMRect;
}

/**
 * Shows what stands in `data-tip` of the element under the pointer, or of the one the keyboard is on. One for the whole page: a
 * list with a thousand buttons has no thousand tooltips. What it says is also the element's name, so screen readers need none of it.
 */
export function Tips() {
  const [tip, setTip] = useState<Tip | null>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      setTip(null);
    };
    const show = (event: Event) => {
      const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null;
      clearTimeout(timer);
      if (!target || (event.type === "focusin" && !target.matches(":focus-visible"))) {
        setTip(null);
        return;
      }
      timer = setTimeout(() => {
        const text = target.dataset.tip;
        if (text && target.isConnected) setTip({ text, at: target.getBoundingClientRect() });
      }, AFTER);
    };
    // Escape takes it away without closing what is below (WCAG 1.4.13).
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") hide();
    };
    const pairs: [string, EventListener][] = [
      ["pointerover", show],
      ["focusin", show],
      ["pointerdown", hide],
      ["scroll", hide],
      ["keydown", key as EventListener],
    ];
    for (const [name, listener] of pairs) addEventListener(name, listener, { capture: true, passive: true });
    return () => {
      clearTimeout(timer);
      for (const [name, listener] of pairs) removeEventListener(name, listener, { capture: true });
    };
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element || !tip) return;
    const { width, height } = element.getBoundingClientRect();
    const below = tip.at.bottom + GAP + height + EDGE <= innerHeight;
    const middle = tip.at.left + tip.at.width / 2 - width / 2;
    element.style.top = `${String(below ? tip.at.bottom + GAP : tip.at.top - GAP - height)}px`;
    element.style.left = `${String(Math.max(EDGE, Math.min(middle, innerWidth - width - EDGE)))}px`;
    element.style.visibility = "visible";
  }, [tip]);

  if (!tip) return null;
  return createPortal(
    <Box
      ref={box}
      aria-hidden
      key={tip.text}
      sx={{
        position: "fixed",
        visibility: "hidden",
        zIndex: "tooltip",
        pointerEvents: "none",
        maxWidth: 300,
        px: 1,
        py: 0.5,
        borderRadius: "6px",
        fontSize: "0.75rem",
        fontWeight: 500,
        lineHeight: 1.4,
        whiteSpace: "pre-line",
        bgcolor: "surface.raised",
        color: "text.primary",
        border: 1,
        borderColor: "border.control",
        boxShadow: "0 4px 14px rgba(0, 0, 0, 0.2)",
      }}
    >
      {tip.text}
    </Box>,
    document.body,
  );
}
