import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { useCalm } from "./calm";
import { Later } from "./Later";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function Place({ loaded }: { loaded: string | null }) {
  const loading = useCalm(loaded === null);
  return loading ? <Later>loading</Later> : loaded;
}

const pass = (ms: number): void => {
  act(() => {
    vi.advanceTimersByTime(ms);
  });
};
const shown = () => document.body.textContent;

test("CALM-02: what is there soon shows no sign of loading", () => {
  const { rerender } = render(<Place loaded={null} />);
  pass(149);
  expect(shown()).toBe("");
  rerender(<Place loaded="messages" />);
  expect(shown()).toBe("messages");
  pass(1_000);
  expect(shown()).toBe("messages");
});

test("CALM-02: a sign of loading stays at least 300 ms", () => {
  const { rerender } = render(<Place loaded={null} />);
  pass(150);
  expect(shown()).toBe("loading");
  rerender(<Place loaded="messages" />);
  pass(299);
  expect(shown()).toBe("loading");
  pass(1);
  expect(shown()).toBe("messages");
});

test("CALM-02: what took long is shown at once, and the next wait counts from its beginning", () => {
  const { rerender } = render(<Place loaded={null} />);
  pass(150);
  pass(2_000);
  expect(shown()).toBe("loading");
  rerender(<Place loaded="messages" />);
  expect(shown()).toBe("messages");
  rerender(<Place loaded={null} />);
  pass(149);
  expect(shown()).toBe("");
  pass(1);
  expect(shown()).toBe("loading");
});
