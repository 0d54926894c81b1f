import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { show } from "../testing/show";
import { ErrorBoundary } from "./ErrorBoundary";

function Broken(): never {
  throw new Error("of no use");
}

test("a failure in one part is told, with what to do", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  show(
    <ErrorBoundary>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("heading").textContent).toBe("Something went wrong here");
  expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
});
