import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import type { Verification } from "../../matrix/encryption/hooks";
import { useVerification, type VerificationView } from "../../matrix/encryption/verification";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { VerificationDialog } from "./VerificationDialog";

vi.mock("../../matrix/encryption/verification");

const view: VerificationView = {
  step: "choosing",
  own: false,
  userId: "@ben:example.org",
  deviceId: null,
  codes: false,
  code: null,
  scans: false,
  emoji: [],
  numbers: [],
  reason: null,
  repeatable: false,
};

function open(seen: Partial<VerificationView>) {
  const done = () => vi.fn(() => Promise.resolve());
  const acts = {
    accept: done(),
    compare: done(),
    scan: vi.fn(() => Promise.resolve("taken" as const)),
    confirm: done(),
    mismatch: vi.fn(),
    again: done(),
    close: done(),
  };
  vi.mocked(useVerification).mockReturnValue({ view: { ...view, ...seen }, ...acts });
  show(
    <ClientProvider client={new World().client}>
      <VerificationDialog request={{ transactionId: "$flow" } as Verification} />
    </ClientProvider>,
  );
  return acts;
}

const button = (name: string) => screen.queryByRole("button", { name });

test("a code is shown with words beside it, and emoji in its place", async () => {
  const { compare } = open({ code: "MATRIX" });
  expect(screen.getByRole("img", { name: "QR code for the other side to scan" })).toBeTruthy();
  expect(screen.getByText("Let @ben:example.org scan this code.")).toBeTruthy();
  expect(button("Scan the other code")).toBeNull();
  await userEvent.click(button("Compare emoji instead")!);
  expect(compare).toHaveBeenCalledOnce();
});

test("scanning begins when it is asked for, and the focus stays on the way back", async () => {
  open({ code: "MATRIX", scans: true });
  expect(document.querySelector("video")).toBeNull();
  await userEvent.click(button("Scan the other code")!);
  expect(document.querySelector("video")).toBeTruthy();
  expect(screen.queryByRole("img")).toBeNull();
  expect(document.activeElement).toBe(button("Show my code"));
  await userEvent.keyboard("{Enter}");
  expect(document.querySelector("video")).toBeNull();
  expect(screen.getByRole("img")).toBeTruthy();
});

test("who only can scan is told what to do, and turns the camera off again", async () => {
  open({ scans: true });
  expect(screen.getByText(/sees a code/)).toBeTruthy();
  await userEvent.click(button("Scan the other code")!);
  await userEvent.click(button("Stop scanning")!);
  expect(document.querySelector("video")).toBeNull();
});

test("who shows a code is asked for the tick of the other side", async () => {
  const { confirm, mismatch } = open({ step: "scanned", code: "MATRIX" });
  expect(screen.getByText("Does @ben:example.org see a tick now?")).toBeTruthy();
  await userEvent.click(button("Yes, a tick")!);
  expect(confirm).toHaveBeenCalledOnce();
  await userEvent.click(button("No tick")!);
  expect(mismatch).toHaveBeenCalledOnce();
});

test("who has scanned sees the tick that the other side is asked for", () => {
  open({ step: "ticked", own: true });
  expect(screen.getByRole("group", { name: /^The code fits/ }).querySelector("svg")).toBeTruthy();
});

test("what took too long is told, and can be tried again", async () => {
  const { again } = open({ step: "cancelled", reason: "timeout", repeatable: true });
  expect(screen.getByRole("group", { name: /^It took too long/ })).toBeTruthy();
  await userEvent.click(button("Try again")!);
  expect(again).toHaveBeenCalledOnce();
});

test("an answer to a question mentions the code where both sides can use one", () => {
  open({ step: "asked", codes: true });
  expect(screen.getByText(/scans a code/)).toBeTruthy();
});
