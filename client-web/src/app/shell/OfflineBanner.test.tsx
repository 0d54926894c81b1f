import { act, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { show } from "../../testing/show";
import { OfflineBanner } from "./OfflineBanner";

afterEach(() => {
  vi.useRealTimers();
});

test("the banner waits three seconds, and goes at once", () => {
  vi.useFakeTimers();
  const shown = show(<OfflineBanner offline />);
  act(() => {
    vi.advanceTimersByTime(2900);
  });
  expect(screen.queryByTestId("offline")).toBeNull();
  act(() => {
    vi.advanceTimersByTime(200);
  });
  expect(screen.getByTestId("offline").textContent).toMatch(/messages are kept/);
  shown.rerender(<OfflineBanner offline={false} />);
  expect(screen.queryByTestId("offline")).toBeNull();
});
