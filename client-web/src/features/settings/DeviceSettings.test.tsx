import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { readDevices } from "../../matrix/encryption/security";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { DeviceSettings } from "./DeviceSettings";

vi.mock("../../matrix/encryption/security", { spy: true });

const DEVICES = [
  { device_id: "TEST", display_name: "Orvale on Chrome, Linux", last_seen_ts: 3 },
  { device_id: "LAPTOP", display_name: "Orvale on Chrome, Linux", last_seen_ts: 2 },
  { device_id: "PHONE", display_name: "Phone", last_seen_ts: 1 },
];

async function open() {
  const { client } = new World();
  vi.mocked(readDevices).mockResolvedValue(null);
  vi.spyOn(client, "getDevices").mockResolvedValue({ devices: DEVICES });
  const onEscape = vi.fn();
  show(
    <ClientProvider client={client}>
      <div onKeyDown={({ key }) => void (key === "Escape" && onEscape())}>
        <DeviceSettings />
      </div>
    </ClientProvider>,
  );
  await screen.findByRole("button", { name: "Rename: Phone" });
  return { client, onEscape };
}

test("devices that are called the same are told apart", async () => {
  await open();
  const [here, laptop, phone] = screen.getAllByRole("listitem");
  expect(within(here!).getByText(/TEST/)).toBeTruthy();
  expect(within(laptop!).getByText(/LAPTOP/)).toBeTruthy();
  expect(within(phone!).queryByText(/PHONE/)).toBeNull();
});

test("Escape ends the renaming and not what is around it; a name that was refused is not lost", async () => {
  const { client, onEscape } = await open();
  const set = vi.spyOn(client, "setDeviceDetails").mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await userEvent.click(screen.getByRole("button", { name: "Rename: Phone" }));
  await userEvent.keyboard("{Escape}");
  expect(onEscape).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Rename: Phone" }));
  await userEvent.keyboard("{Enter}");
  const field = screen.getByRole("textbox", { name: "Device name" });
  await userEvent.clear(field);
  await userEvent.type(field, "Telephone{Enter}");
  expect(set).toHaveBeenCalledTimes(1);
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Device name" }).value).toBe("Telephone");
  set.mockResolvedValue({});
  await userEvent.type(field, "{Enter}");
  await waitFor(() => expect(screen.queryByRole("textbox", { name: "Device name" })).toBeNull());
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Rename: Phone" }));
});

test("a wrong password for logging a device out is called that, and can be typed over", async () => {
  const { client } = await open();
  vi.spyOn(client, "deleteMultipleDevices").mockRejectedValue(
    Object.assign(new Error("Invalid password"), { errcode: "M_FORBIDDEN" }),
  );
  await userEvent.click(screen.getByRole("button", { name: "Log out: Phone" }));
  const dialog = screen.getByRole("dialog", { name: "Log out 1 device" });
  expect(within(dialog).getByText(/Phone is logged out at once/)).toBeTruthy();
  const field = within(dialog).getByLabelText("Your password, to confirm that it is you");
  await userEvent.type(field, "wrong{Enter}");
  expect(await within(dialog).findByText("Wrong password.")).toBeTruthy();
  await waitFor(() => expect(document.activeElement).toBe(field));
});
