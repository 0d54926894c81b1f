import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { setUp } from "../../matrix/encryption/security";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { SetUpDialog } from "./SetUpDialog";

vi.mock("../../matrix/encryption/security", { spy: true });

beforeEach(() => void vi.mocked(setUp).mockClear());

const KEY = "EsTP pKvC AKaA AmEo ub3p KhUf 1b8T jJaE soBg BVUh khCE LnRB";

function open(world = new World(), onClose = vi.fn()) {
  const { unmount } = show(
    <ClientProvider client={world.client}>
      <SetUpDialog kind="set-up" onClose={onClose} />
    </ClientProvider>,
  );
  return { world, onClose, unmount };
}

test("a recovery key is not lost by Escape, nor by whatever else closes the dialog", async () => {
  vi.mocked(setUp).mockResolvedValue(KEY);
  const { world, onClose, unmount } = open();
  await userEvent.click(screen.getByRole("button", { name: "Create recovery key" }));
  const shown = await screen.findByRole("group", { name: "Your recovery key" });
  expect(shown.textContent).toBe(KEY);
  await waitFor(() => expect(document.activeElement).toBe(shown));
  await userEvent.keyboard("{Escape}");
  expect((await screen.findByRole("alert")).textContent).toMatch(/Keep the key first/);
  const leaving = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);
  expect(onClose).not.toHaveBeenCalled();
  unmount();

  const again = open(world);
  expect(screen.getByRole("group", { name: "Your recovery key" }).textContent).toBe(KEY);
  await userEvent.click(screen.getByRole("button", { name: "I have saved it" }));
  expect(again.onClose).toHaveBeenCalledTimes(1);
  const later = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(later);
  expect(later.defaultPrevented).toBe(false);
});

test("while the key is being made nothing closes the dialog", async () => {
  let made: (key: string) => void = () => undefined;
  vi.mocked(setUp).mockReturnValue(new Promise((done) => (made = done)));
  const { onClose } = open();
  await userEvent.click(screen.getByRole("button", { name: "Create recovery key" }));
  await userEvent.keyboard("{Escape}");
  expect(onClose).not.toHaveBeenCalled();
  made(KEY);
  await userEvent.click(await screen.findByRole("button", { name: "I have saved it" }));
  expect(onClose).toHaveBeenCalledTimes(1);
});

test("a passphrase that can be guessed is refused, one that is long enough is used", async () => {
  const act = vi.mocked(setUp).mockResolvedValue(KEY);
  open();
  const field = screen.getByLabelText("Passphrase (optional)");
  await userEvent.type(field, "short{Enter}");
  expect(screen.getByText("At least 8 characters.")).toBeTruthy();
  expect(document.activeElement).toBe(field);
  expect(act).not.toHaveBeenCalled();
  await userEvent.type(field, " but no more{Enter}");
  await userEvent.click(await screen.findByRole("button", { name: "I have saved it" }));
  expect(act.mock.calls[0]?.[1]).toMatchObject({ passphrase: "short but no more" });
});

test("where copying is not allowed it says so", async () => {
  vi.mocked(setUp).mockResolvedValue(KEY);
  open();
  await userEvent.click(screen.getByRole("button", { name: "Create recovery key" }));
  const copy = await screen.findByRole("button", { name: "Copy" });
  // Without a secure connection there is no clipboard at all.
  fireEvent.click(copy);
  expect((await screen.findByRole("alert")).textContent).toMatch(/Copying is not allowed/);
  await userEvent.click(screen.getByRole("button", { name: "I have saved it" }));
});
