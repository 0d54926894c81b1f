import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { SearchDialog } from "./SearchDialog";

const hit = (id: string, body: string, more: object = {}) => ({
  result: {
    event_id: id,
    room_id: "!a:example.org",
    sender: "@ben:example.org",
    type: "m.room.message",
    origin_server_ts: 1_700_000_000_000,
    content: { msgtype: "m.text", body, ...more },
  },
  context: { profile_info: { "@ben:example.org": { displayname: "Ben Lindqvist" } } },
});
const answer = (results: object[], next?: string) => ({
  search_categories: {
    room_events: {
      count: results.length,
      highlights: ["rose"],
      results,
      ...(next ? { next_batch: next } : {}),
    },
  },
});

interface Asked {
  search_categories: { room_events: { search_term: string; filter: { contains_url?: boolean } } };
}

function begin(line = "") {
  const world = new World();
  world.room("!a:example.org", ["@ben:example.org"], "Garden");
  const asked: string[] = [];
  world.answers.set("POST /search", (body) => {
    const { search_term, filter } = (body as Asked).search_categories.room_events;
    asked.push(search_term);
    return filter.contains_url
      ? answer([hit("$file", "rose.pdf", { msgtype: "m.file", filename: "rose.pdf", url: "mxc://a/b" })])
      : answer([hit("$one", "A rose is a rose")]);
  });
  world.answers.set("POST /user_directory/search", () => ({
    results: [{ user_id: "@rose:example.org", display_name: "Rose Adler" }],
  }));
  world.answers.set("POST /publicRooms", () => ({
    chunk: [{ room_id: "!r:example.org", name: "roses", num_joined_members: 3, join_rule: "public" }],
  }));
  const props = { onKeep: vi.fn(), onOpenRoom: vi.fn(), onClose: vi.fn() };
  const tree = (
    <ClientProvider client={world.client}>
      <SearchDialog line={line} {...props} />
    </ClientProvider>
  );
  show(tree);
  return { world, asked, ...props };
}

const field = () => screen.getByRole("combobox");

test("SRCH-04: an empty field asks nothing; typing asks once, after a rest", async () => {
  const { asked } = begin();
  await act(() => new Promise((resolve) => setTimeout(resolve, 300)));
  expect(asked).toEqual([]);
  for (const words of ["r", "ro", "rose"]) fireEvent.change(field(), { target: { value: words } });
  await screen.findByRole("region", { name: "Messages" });
  // One question for messages, one for files.
  expect(asked).toEqual(["rose", "rose"]);
});

test("SRCH-04: a newer question ends the one before", async () => {
  const { world } = begin();
  const ended: string[] = [];
  world.answers.set("POST /search", (body, signal) => {
    const term = (body as Asked).search_categories.room_events.search_term;
    if (term === "slow")
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          ended.push(term);
          reject(new DOMException("ended", "AbortError"));
        });
      });
    return answer([hit("$one", "rose")]);
  });
  fireEvent.change(field(), { target: { value: "slow" } });
  await act(() => new Promise((resolve) => setTimeout(resolve, 300)));
  fireEvent.change(field(), { target: { value: "rose" } });
  await waitFor(() => expect(ended).toEqual(["slow", "slow"]));
  await screen.findByRole("region", { name: "Messages" });
});

test("SRCH-02: what is found stands in four groups, marked, and a message leads to its place", async () => {
  const { onKeep, onOpenRoom } = begin("rose");
  const messages = await screen.findByRole("region", { name: "Messages" });
  for (const name of ["Files", "People", "Channels"]) await screen.findByRole("region", { name });
  const found = within(messages).getByRole("button", { name: /Ben Lindqvist in Garden/ });
  expect([...found.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["rose", "rose"]);
  expect(screen.getByRole("button", { name: "Message Rose Adler" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Join roses" })).toBeTruthy();
  fireEvent.click(found);
  expect(onKeep).toHaveBeenCalledWith("rose");
  expect(onOpenRoom).toHaveBeenCalledWith("!a:example.org", "$one");
});

test("a failed search says so, and is tried again", async () => {
  const { world } = begin("rose");
  for (const path of world.answers.keys())
    world.answers.set(path, () => Promise.reject(new TypeError("Failed to fetch")));
  fireEvent.change(field(), { target: { value: "roses" } });
  const again = await screen.findByRole("button", { name: "Try again" });
  world.answers.set("POST /search", () => answer([hit("$one", "roses")]));
  fireEvent.click(again);
  await screen.findByRole("region", { name: "Messages" });
});

test("a filter is offered while it is typed, becomes a chip, and goes with the question", async () => {
  const { world } = begin();
  let filter: object = {};
  world.answers.set("POST /search", (body) => {
    filter = (body as Asked).search_categories.room_events;
    return answer([]);
  });
  fireEvent.change(field(), { target: { value: "rose in:gar" } });
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(screen.getByText("in: Garden")).toBeTruthy();
  expect((field() as HTMLInputElement).value).toBe("rose");
  fireEvent.change(field(), { target: { value: "rose has:image" } });
  fireEvent.change(field(), { target: { value: "rose has:image " } });
  await screen.findByText("Nothing found");
  expect(filter).toMatchObject({
    search_term: "rose",
    filter: { rooms: ["!a:example.org"] },
    "com.orvale.has": ["image"],
  });
  fireEvent.change(field(), { target: { value: "" } });
  fireEvent.keyDown(field(), { key: "Backspace" });
  expect(screen.queryByText("has: Picture")).toBeNull();
  expect(screen.getByText("in: Garden")).toBeTruthy();
});
