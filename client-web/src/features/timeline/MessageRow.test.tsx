import { fireEvent, screen, within } from "@testing-library/react";
import { act, memo, Profiler } from "react";
import { expect, test, vi } from "vitest";

import { keyOf } from "../../matrix/events";
import { ClientProvider } from "../../matrix/MatrixProvider";
import { sendEdit, sendMessage } from "../../matrix/send";
import { useTimeline, type Row } from "../../matrix/timeline";
import { show } from "../../testing/show";
import { refusing, settled, World } from "../../testing/world";
import { MessageRow, type RowHandlers } from "./MessageRow";

const handlers: RowHandlers = {
  act: vi.fn(),
  jump: vi.fn(),
  openThread: null,
  openMatrix: vi.fn(),
  focused: vi.fn(),
};

/** The rows without the virtual list, which needs a real page: each counts how often it was drawn. */
function Rows({ roomId, drawn }: { roomId: string; drawn: (key: string) => void }) {
  const { snapshot } = useTimeline(roomId);
  return snapshot.rows.map((row) => <Counted key={row.key} row={row} drawn={drawn} />);
}

/** A profiler tells of every drawing of its own parent too, so it stands below a wall of its own. */
const Counted = memo(function Counted({ row, drawn }: { row: Row; drawn: (key: string) => void }) {
  return (
    <Profiler id={row.key} onRender={drawn}>
      {row.kind === "message" && (
        <MessageRow
          event={row.event}
          rowKey={row.key}
          me="@ada:example.org"
          continued={row.continued}
          tabbable={false}
          marked={false}
          inThread={false}
          handlers={handlers}
        />
      )}
    </Profiler>
  );
});

async function begin(count: number) {
  const world = new World();
  const room = world.room("!a:example.org");
  const events = Array.from({ length: count }, (_, at) =>
    world.text(room, at % 2 === 0 ? "@ben:example.org" : world.me, `message ${String(at)}`),
  );
  await world.arrive(room, ...events);
  const drawn: string[] = [];
  show(
    <ClientProvider client={world.client}>
      <Rows roomId={room.roomId} drawn={(key) => drawn.push(key)} />
    </ClientProvider>,
  );
  await act(() => settled());
  drawn.length = 0;
  return { world, room, events, drawn };
}

test("ACT-09: an incoming message draws itself and at most two others", async () => {
  const { world, room, drawn } = await begin(20);
  const message = world.text(room, "@ben:example.org", "one more");
  await world.arrive(room, message);
  expect(screen.getByText("one more")).toBeTruthy();
  expect(new Set(drawn).has(keyOf(message))).toBe(true);
  expect(new Set(drawn).size).toBeLessThanOrEqual(3);
});

test("ACT-09: typing and presence draw no row", async () => {
  const { world, room, drawn } = await begin(20);
  await act(async () => {
    room.currentState.setTypingEvent(
      world.event(room.roomId, "m.typing", { user_ids: ["@ben:example.org"] }),
    );
    await settled();
  });
  expect(drawn).toEqual([]);
});

test("a reaction draws the message it belongs to and no other", async () => {
  const { world, room, events, drawn } = await begin(20);
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.reaction",
      { "m.relates_to": { rel_type: "m.annotation", event_id: events[4]!.getId()!, key: "🎉" } },
      { sender: "@ben:example.org" },
    ),
  );
  expect(screen.getByRole("button", { name: /Ben reacted with 🎉/ })).toBeTruthy();
  // Whoever reacts has read what is above: the newest own message may get its second tick.
  expect(new Set(drawn).has(keyOf(events[4]!))).toBe(true);
  expect(new Set(drawn).size).toBeLessThanOrEqual(2);
});

test("ACT-03: the echo keeps its row and node when the server's event arrives", async () => {
  const { world, room } = await begin(3);
  await act(async () => {
    sendMessage(world.client, { roomId: room.roomId }, { body: "mine", html: null, mentions: [] });
    await settled();
  });
  const pending = room.getPendingEvents()[0]!;
  const node = screen.getByText("mine").closest("[role=article]");
  await world.arrive(room, world.echo(room, pending));
  const after = screen.getAllByText("mine");
  expect(after).toHaveLength(1);
  expect(after[0]!.closest("[role=article]")).toBe(node);
  expect(node?.getAttribute("data-event-id")).toBe(`$${pending.getTxnId()!}`);
});

test("an edit is shown in place, and a deletion leaves its mark", async () => {
  const { world, room, events } = await begin(3);
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.room.message",
      {
        msgtype: "m.text",
        body: "* better",
        "m.new_content": { msgtype: "m.text", body: "better" },
        "m.relates_to": { rel_type: "m.replace", event_id: events[0]!.getId()! },
      },
      { sender: "@ben:example.org" },
    ),
  );
  const row = screen.getByText("better").closest<HTMLElement>("[role=article]")!;
  expect(within(row).getByText("(edited)")).toBeTruthy();
  expect(screen.queryByText("* better")).toBeNull();
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.room.redaction",
      { redacts: events[0]!.getId()! },
      { sender: "@ben:example.org", redacts: events[0]!.getId()! },
    ),
  );
  expect(screen.getByText("This message was deleted")).toBeTruthy();
});

test("MSG-08: what a moderator removed says by whom and why, in its place, aloud, and where it is answered", async () => {
  const { world, room, events } = await begin(3);
  const removed = events[1]!.getId()!;
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.room.message",
      { msgtype: "m.text", body: "Why?", "m.relates_to": { "m.in_reply_to": { event_id: removed } } },
      { sender: "@ben:example.org" },
    ),
  );
  const remove = async (id: string, reason?: string) =>
    world.arrive(
      room,
      world.event(
        room.roomId,
        "m.room.redaction",
        { redacts: id, ...(reason ? { reason } : {}) },
        { sender: "@ben:example.org", redacts: id },
      ),
    );
  await remove(removed, "not for this channel");
  expect(screen.getByRole("article", { name: /^Ada, Removed by Ben: not for this channel, / })).toBeTruthy();
  expect(screen.getByRole("button", { name: /^Ada Removed by Ben: not for this channel/ })).toBeTruthy();
  await world.arrive(room, world.text(room, world.me, "one more"));
  const last = screen.getByText("one more").closest<HTMLElement>("[role=article]")!;
  await remove(last.dataset.eventId!);
  expect(within(last).getByText("Removed by Ben")).toBeTruthy();
});

test("A11-06: a message is spoken as author, text, extras, time", async () => {
  const { world, room } = await begin(1);
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.room.message",
      {
        msgtype: "m.text",
        body: "**bold** words",
        format: "org.matrix.custom.html",
        formatted_body: "<strong>bold</strong> words",
      },
      { sender: "@ben:example.org" },
    ),
  );
  expect(screen.getByRole("article", { name: /^Ben, bold words, .*\d/ })).toBeTruthy();
});

test("KEY-02: letters act only with the focus on the message itself", async () => {
  const { events } = await begin(2);
  const row = screen.getByText("message 0").closest<HTMLElement>("[role=article]")!;
  act(() => row.focus());
  fireEvent.keyDown(row, { key: "r" });
  expect(handlers.act).toHaveBeenCalledWith("reply", events[0], expect.anything(), row);
  vi.mocked(handlers.act).mockClear();
  const button = within(row).getAllByRole("button")[0]!;
  act(() => button.focus());
  fireEvent.keyDown(button, { key: "r" });
  fireEvent.keyDown(row, { key: "r", ctrlKey: true });
  expect(handlers.act).not.toHaveBeenCalled();
});

test("a change that was refused is told under the message, with a way to give it up", async () => {
  const { world, room, events } = await begin(2);
  world.server = refusing;
  await act(async () => {
    sendEdit(world.client, events[1]!, { body: "changed", html: null, mentions: [] });
    await settled();
  });
  const row = () => screen.getAllByRole("article")[1]!;
  expect(row().textContent).toContain("changed");
  expect(row().textContent).toContain("Change not saved: You may not write here.");
  expect(row().textContent).not.toContain("Delivered");
  await act(async () => {
    fireEvent.click(within(row()).getByRole("button", { name: "Discard the change" }));
    await settled();
  });
  expect(row().textContent).toContain("message 1");
  expect(row().textContent).not.toContain("not saved");
  expect(room.getPendingEvents()).toEqual([]);
});
