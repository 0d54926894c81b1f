import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { ClientProvider } from "../../matrix/MatrixProvider";
import { PERMISSIONS } from "../../matrix/permissions";
import { show } from "../../testing/show";
import { settled, World } from "../../testing/world";
import { Composer } from "./Composer";

async function begin(world = new World()) {
  const room = world.room("!a:example.org", ["@ben:example.org", "@berta:example.org"], "General");
  const load = vi.spyOn(room, "loadMembersIfNeeded").mockResolvedValue(true);
  const sorted = vi.spyOn(room, "getMembers");
  show(
    <ClientProvider client={world.client}>
      <Composer roomId={room.roomId} />
    </ClientProvider>,
  );
  await act(() => settled());
  return { room, load, sorted, field: screen.getByRole("textbox") };
}

test("people are looked up when somebody is about to be named, not before", async () => {
  const { load, sorted, field } = await begin();
  await userEvent.type(field, "hello ");
  expect(load).not.toHaveBeenCalled();
  expect(sorted).not.toHaveBeenCalled();
  await userEvent.type(field, "@be");
  expect(load).toHaveBeenCalledTimes(1);
  expect((await screen.findAllByRole("option")).map((option) => option.textContent)).toEqual([
    expect.stringContaining("Ben"),
    expect.stringContaining("Berta"),
  ]);
});

test("FILE-06: who may not send files is told so, and nothing is uploaded", async () => {
  const world = new World();
  const content = { permissions: ["chat.create_direct"] };
  vi.spyOn(world.client, "getAccountData").mockImplementation((type) =>
    (type as string) === PERMISSIONS ? world.event("", PERMISSIONS, content) : undefined,
  );
  const { field } = await begin(world);
  const upload = vi.spyOn(world.client, "uploadContent");
  const attach = screen.getByRole("button", { name: /turned off for you/ });
  expect(attach.getAttribute("aria-disabled")).toBe("true");
  await userEvent.click(attach);
  expect(screen.getByRole("alert").textContent).toContain("turned off for you");
  await userEvent.type(field, "a");
  expect(screen.queryByRole("alert")).toBeNull();
  expect(upload).not.toHaveBeenCalled();
});
