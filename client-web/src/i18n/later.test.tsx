import { screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";

import { Announcer } from "../components/Announcer";
import { show } from "../testing/show";
import { later } from "./later";

const Dialog = ({ onClose }: { onClose: () => void }) => <button onClick={onClose}>Here it is</button>;

test("RES-08: without a connection a part that is not here is told and closed, and loaded when it is opened again", async () => {
  const load = vi.fn().mockRejectedValue(new TypeError("Failed to fetch dynamically imported module"));
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  const Part = later<{ onClose: () => void }>(load);
  const onClose = vi.fn();
  const drawn = (open: boolean) => (
    <>
      <p>The page</p>
      <Suspense>{open && <Part onClose={onClose} />}</Suspense>
      <Announcer />
    </>
  );
  const { rerender } = show(drawn(true));
  await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce(), { timeout: 5_000 });
  expect(screen.getByRole("alert").textContent).toMatch(/^No connection/);
  expect(screen.getByText("The page")).toBeTruthy();
  rerender(drawn(false));
  load.mockResolvedValue(Dialog);
  rerender(drawn(true));
  expect(await screen.findByRole("button", { name: "Here it is" })).toBeTruthy();
  expect(onClose).toHaveBeenCalledOnce();
  vi.unstubAllGlobals();
});
