import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { alert, announce, Announcer, tell } from "./Announcer";
import { Notice } from "./Notice";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  act(() => {
    vi.advanceTimersByTime(5_000);
  });
  vi.useRealTimers();
});

test("A11-07: a sentence a second; what happens in between is said together, each thing once", () => {
  render(<Announcer />);
  const heard = () => screen.getByRole("status").textContent;
  let news = 1;
  act(() => {
    announce("Saved");
    announce("Copied");
    announce(() => `${String(news)} new messages`);
    announce("Copied");
  });
  expect(heard()).toBe("Saved");
  news = 5;
  act(() => {
    vi.advanceTimersByTime(999);
  });
  expect(heard()).toBe("Saved");
  act(() => {
    vi.advanceTimersByTime(1);
  });
  expect(heard()).toBe("Copied. 5 new messages");
});

test("A11-07: the same words once more are heard once more", () => {
  render(<Announcer />);
  const heard = () => screen.getByRole("status").textContent;
  act(() => {
    announce("Pinned");
  });
  const first = heard();
  act(() => {
    vi.advanceTimersByTime(1_000);
  });
  act(() => {
    announce("Pinned");
  });
  expect(heard()).not.toBe(first);
  expect(heard()?.replace("\u200b", "")).toBe("Pinned");
});

test("A11-07: an open dialog hides the page, not the voice", () => {
  render(<Announcer />);
  const place = screen.getByRole("status").parentElement!;
  place.setAttribute("aria-hidden", "true");
  return Promise.resolve().then(() => {
    expect(place.hasAttribute("aria-hidden")).toBe(false);
  });
});

test("how an action went is said and shown, a failure longer than what went well", () => {
  render(
    <>
      <Announcer />
      <Notice />
    </>,
  );
  const seen = () => document.querySelector("[data-notice]")?.textContent ?? null;
  act(() => announce("Ben is typing"));
  expect(seen()).toBe(null);
  act(() => {
    vi.advanceTimersByTime(1_000);
    tell("Copied");
  });
  expect(seen()).toBe("Copied");
  expect(screen.getByRole("status").textContent).toBe("Copied");
  act(() => {
    vi.advanceTimersByTime(4_000);
  });
  expect(seen()).toBe(null);
  act(() => alert("That did not work"));
  expect(screen.getByRole("alert").textContent).toBe("That did not work");
  act(() => {
    vi.advanceTimersByTime(4_000);
  });
  expect(seen()).toBe("That did not work");
  act(() => document.querySelector<HTMLElement>("[data-notice]")?.click());
  expect(seen()).toBe(null);
});
