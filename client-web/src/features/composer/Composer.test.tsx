import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { draftsOf } from "../../matrix/drafts";
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

test("a change of an old message that was begun on the visit before is not lost, also if the server does not answer at first", async () => {
  const world = new World();
  const drafts = draftsOf(world.me);
  drafts.set("!a:example.org", { text: "as it should be", editing: "$old", before: "" });
  const fetch = vi
    .spyOn(world.client, "fetchRoomEvent")
    .mockRejectedValueOnce(new TypeError("Failed to fetch"));
  fetch.mockResolvedValue({
    type: "m.room.message",
    event_id: "$old",
    room_id: "!a:example.org",
    sender: world.me,
    origin_server_ts: 1,
    content: { msgtype: "m.text", body: "as it was" },
  });
  const { field } = await begin(world);
  const send = vi.spyOn(world.client, "sendEvent");
  await userEvent.type(field, "{Enter}");
  await act(() => settled());
  expect(send).not.toHaveBeenCalled();
  expect(drafts.get("!a:example.org").text).toBe("as it should be");
  await userEvent.type(field, "{Enter}");
  await act(() => settled());
  expect(send.mock.calls[0]![3]).toMatchObject({
    body: "* as it should be",
    "m.relates_to": { rel_type: "m.replace", event_id: "$old" },
  });
  expect(drafts.get("!a:example.org").text).toBe("");
});

test("what is too long for a message can be sent as a file", async () => {
  const world = new World();
  const { field } = await begin(world);
  const upload = vi.spyOn(world.client, "uploadContent").mockResolvedValue({ content_uri: "mxc://a/b" });
  fireEvent.change(field, { target: { value: "long ".repeat(6_000) } });
  await userEvent.click(screen.getByRole("button", { name: "Send it as a file" }));
  await act(() => settled());
  expect((upload.mock.calls[0]![0] as File).size).toBe(30_000);
  expect((field as HTMLTextAreaElement).value).toBe("");
});
