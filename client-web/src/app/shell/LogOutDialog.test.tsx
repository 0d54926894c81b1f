import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { losesKeys } from "../../matrix/encryption/security";
import { holdKey } from "../../matrix/encryption/unsavedKey";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { LogOutDialog } from "./LogOutDialog";

vi.mock("../../matrix/encryption/security", { spy: true });

function open(world = new World()) {
  const [onLogOut, onBackUp, onClose] = [vi.fn(), vi.fn(), vi.fn()];
  show(
    <ClientProvider client={world.client}>
      <LogOutDialog onLogOut={onLogOut} onBackUp={onBackUp} onClose={onClose} />
    </ClientProvider>,
  );
  return { onLogOut, onBackUp, onClose };
}

test("with a backup it logs out without a question", async () => {
  vi.mocked(losesKeys).mockResolvedValue(false);
  const { onLogOut } = open();
  await waitFor(() => expect(onLogOut).toHaveBeenCalledTimes(1));
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("without one it asks first, and leads to where a backup is made", async () => {
  vi.mocked(losesKeys).mockResolvedValue(true);
  const { onLogOut, onBackUp, onClose } = open();
  await screen.findByRole("dialog", { name: "Log out and lose messages?" });
  await userEvent.keyboard("{Escape}");
  expect(onClose).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByRole("button", { name: "Back up first" }));
  expect(onBackUp).toHaveBeenCalledTimes(1);
  expect(onLogOut).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Log out anyway" }));
  expect(onLogOut).toHaveBeenCalledTimes(1);
});

test("a recovery key that nobody has saved opens no backup", async () => {
  const world = new World();
  vi.mocked(losesKeys).mockResolvedValue(false);
  holdKey(world.client, "EsTP");
  const { onLogOut } = open(world);
  await userEvent.click(await screen.findByRole("button", { name: "Log out anyway" }));
  expect(onLogOut).toHaveBeenCalledTimes(1);
});
