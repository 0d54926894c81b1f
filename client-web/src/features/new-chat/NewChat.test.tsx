import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { NewChat } from "./NewChat";

const PEOPLE = [
  { user_id: "@ben:example.org", display_name: "Ben Lindqvist" },
  { user_id: "@chiara:example.org", display_name: "Chiara Moretti" },
];

function open(world = new World()) {
  const onOpen = vi.fn();
  const onClose = vi.fn();
  vi.spyOn(world.client, "searchUserDirectory").mockImplementation(({ term }) =>
    Promise.resolve({
      limited: false,
      results: PEOPLE.filter(({ display_name }) => display_name.toLowerCase().includes(term.toLowerCase())),
    }),
  );
  show(
    <ClientProvider client={world.client}>
      <NewChat onOpen={onOpen} onClose={onClose} />
    </ClientProvider>,
  );
  return { world, onOpen, onClose };
}

test("one person is a direct message, found and opened without a mouse", async () => {
  const { world, onOpen } = open();
  const asked = vi
    .spyOn(world.client.http, "authedRequest")
    .mockImplementation(() => Promise.resolve({ room_id: "!direct" }));
  await userEvent.type(screen.getByRole("combobox", { name: "People" }), "ben");
  await screen.findByRole("option", { name: /Ben Lindqvist/ });
  await userEvent.keyboard("{Enter}");
  expect(screen.getByText("Direct message with Ben Lindqvist")).toBeTruthy();
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(onOpen).toHaveBeenCalledWith("!direct"));
  expect(asked).toHaveBeenCalledTimes(1);
});

test("several people are a group without a name", async () => {
  const { world, onOpen } = open();
  const create = vi.spyOn(world.client, "createRoom").mockResolvedValue({ room_id: "!group" });
  const field = screen.getByRole("combobox", { name: "People" });
  for (const name of ["ben", "chi"]) {
    await userEvent.type(field, name);
    await screen.findByRole("option", { name: new RegExp(name, "i") });
    await userEvent.keyboard("{Enter}");
  }
  await userEvent.click(screen.getByRole("button", { name: "Start group" }));
  await waitFor(() => expect(onOpen).toHaveBeenCalledWith("!group"));
  expect(create.mock.calls[0]?.[0]).toMatchObject({ invite: ["@ben:example.org", "@chiara:example.org"] });
  expect(create.mock.calls[0]?.[0]).not.toHaveProperty("name");
});

test("Backspace in the empty field takes the last one back", async () => {
  open();
  const field = screen.getByRole("combobox", { name: "People" });
  await userEvent.type(field, "ben");
  await screen.findByRole("option", { name: /Ben/ });
  await userEvent.keyboard("{Enter}");
  expect(screen.getByRole("button", { name: "Remove Ben Lindqvist" })).toBeTruthy();
  await userEvent.type(field, "{Backspace}");
  expect(screen.queryByRole("button", { name: "Remove Ben Lindqvist" })).toBeNull();
});

test("nobody of that name, and a search that failed, are told", async () => {
  const { world } = open();
  const field = screen.getByRole("combobox", { name: "People" });
  await userEvent.type(field, "zzz");
  expect(await screen.findByText(/Nobody found/)).toBeTruthy();
  vi.spyOn(world.client, "searchUserDirectory").mockRejectedValue(new Error("The server is away"));
  await userEvent.type(field, "z");
  expect(await screen.findByText("That did not work: The server is away")).toBeTruthy();
});

test("a refusal is told, and what was chosen stays", async () => {
  const { world, onOpen } = open();
  vi.spyOn(world.client.http, "authedRequest").mockRejectedValue(new Error("They take no invites"));
  await userEvent.type(screen.getByRole("combobox", { name: "People" }), "ben");
  await screen.findByRole("option", { name: /Ben/ });
  await userEvent.keyboard("{Enter}{Enter}");
  expect(await screen.findByText("That did not work: They take no invites")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Remove Ben Lindqvist" })).toBeTruthy();
  expect(onOpen).not.toHaveBeenCalled();
});
