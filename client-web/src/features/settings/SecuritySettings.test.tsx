import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { readSecurity, type Security } from "../../matrix/encryption/security";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { SecuritySettings } from "./SecuritySettings";

vi.mock("../../matrix/encryption/security", { spy: true });

const unverified: Security = {
  identity: true,
  verified: false,
  recovery: false,
  backedUp: false,
  others: false,
};

function open() {
  show(
    <ClientProvider client={new World().client}>
      <SecuritySettings />
    </ClientProvider>,
  );
}

test("without a connection it says so, and can be asked again", async () => {
  vi.mocked(readSecurity).mockRejectedValueOnce(new TypeError("Failed to fetch"));
  open();
  expect((await screen.findByText(/cannot be reached/)).textContent).toMatch(/That did not work/);
  vi.mocked(readSecurity).mockResolvedValue(unverified);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("This device is not verified")).toBeTruthy();
});

test("an unverified device is told what there is to verify it with, and no more", async () => {
  vi.mocked(readSecurity).mockResolvedValue({ ...unverified, recovery: true });
  open();
  expect(await screen.findByText(/Enter your recovery key\./)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Compare with another device" })).toBeNull();
  expect(screen.getByRole("button", { name: "Start over" })).toBeTruthy();
});

test("where nothing can verify a device, starting over is what it offers", async () => {
  vi.mocked(readSecurity).mockResolvedValue(unverified);
  open();
  expect(await screen.findByText(/start over with new keys/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Enter the recovery key" })).toBeNull();
  expect(screen.getAllByRole("button", { name: "Start over" })).toHaveLength(1);
});
