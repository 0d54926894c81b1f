import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { KeyFileError } from "../../matrix/encryption/keyFile";
import { exportKeys, importKeys } from "../../matrix/encryption/security";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { KeyFileDialog } from "./KeyFileDialog";

vi.mock("../../matrix/encryption/security", { spy: true });

function open(kind: "export" | "import") {
  const onClose = vi.fn();
  show(
    <ClientProvider client={new World().client}>
      <KeyFileDialog kind={kind} onClose={onClose} />
    </ClientProvider>,
  );
  return onClose;
}

test("an export says at the field what is wrong with it, and goes there", async () => {
  const act = vi.mocked(exportKeys);
  open("export");
  const [first, again] = [
    screen.getByLabelText("Passphrase of the file"),
    screen.getByLabelText("Repeat the passphrase"),
  ];
  await userEvent.click(again);
  await userEvent.keyboard("{Enter}");
  expect(first.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(first);
  await userEvent.type(first, "long enough");
  await userEvent.type(again, "something else{Enter}");
  expect(again.getAttribute("aria-invalid")).toBe("true");
  expect(first.getAttribute("aria-invalid")).toBe("false");
  expect(screen.getByText("The passphrases do not match.")).toBeTruthy();
  expect(act).not.toHaveBeenCalled();
});

test("an import without a file asks for one; a file that does not open is told at its passphrase", async () => {
  const act = vi
    .mocked(importKeys)
    .mockRejectedValueOnce(new KeyFileError("passphrase"))
    .mockResolvedValueOnce(3);
  const onClose = open("import");
  const choose = screen.getByRole("button", { name: "Choose a file" });
  const passphrase = screen.getByLabelText("Passphrase of the file");
  await userEvent.type(passphrase, "secret{Enter}");
  expect(screen.getByRole("alert").textContent).toBe("Choose a file first.");
  expect(document.activeElement).toBe(choose);
  const input = document.querySelector<HTMLInputElement>("input[type=file]")!;
  await userEvent.upload(input, new File(["keys"], "element-keys.txt", { type: "text/plain" }));
  expect(screen.getByRole("button", { name: /element-keys.txt/ })).toBeTruthy();
  await userEvent.type(passphrase, "{Enter}");
  expect(await screen.findByText("The passphrase does not open this file.")).toBeTruthy();
  expect(document.activeElement).toBe(passphrase);
  await userEvent.type(passphrase, "s{Enter}");
  await waitFor(() => expect(onClose).toHaveBeenCalledTimes(1));
  expect(act.mock.calls[1]?.slice(1)).toEqual(["keys", "secrets"]);
});
