import type { MatrixClient } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import {
  addressFor,
  channelRoom,
  createChannel,
  findChannels,
  openDirect,
  type NewChannel,
} from "./directory";
import { ROLES } from "./channel";

const channel: NewChannel = {
  name: " Ideas ",
  topic: "",
  address: "ideas",
  access: "public",
  posting: "member",
  encrypted: false,
  space: null,
};
const state = (made: ReturnType<typeof channelRoom>, type: string) =>
  made.initial_state?.find((event) => event.type === type)?.content as object | undefined;

test("names become addresses that can be typed", () => {
  expect(addressFor("Größe & Maß")).toBe("grosse-mass");
  expect(addressFor("  #1: Lunch!  ")).toBe("1-lunch");
  expect(addressFor("Заявки")).toBe("заявки");
  expect(addressFor("---")).toBe("");
});

test("a public channel is listed and open, without an empty description", () => {
  const made = channelRoom(channel);
  expect(made).toMatchObject({
    name: "Ideas",
    room_alias_name: "ideas",
    preset: "public_chat",
    visibility: "public",
  });
  expect(made).not.toHaveProperty("topic");
  expect(state(made, "com.orvale.channel")).toEqual({ kind: "public_channel" });
});

test("a channel for the organisation is not listed; its people come in by being there", () => {
  const made = channelRoom({ ...channel, access: "space", space: "!space:example.org" });
  expect(made.visibility).toBe("private");
  expect(state(made, "com.orvale.channel")).toEqual({ kind: "private_channel" });
  expect(state(made, "m.room.join_rules")).toEqual({
    join_rule: "restricted",
    allow: [{ type: "m.room_membership", room_id: "!space:example.org" }],
  });
  expect(state(made, "m.space.parent")).toEqual({ via: ["example.org"], canonical: true });
});

test("who may ask to be let in has to find the channel", () => {
  const made = channelRoom({ ...channel, access: "knock" });
  expect(made.visibility).toBe("public");
  expect(made.preset).toBe("private_chat");
  expect(state(made, "m.room.join_rules")).toEqual({ join_rule: "knock" });
});

test("announcements: moderators write", () => {
  const made = channelRoom({ ...channel, posting: "moderator" });
  expect(made.power_level_content_override?.events_default).toBe(ROLES.moderator);
});

test("a channel of a space is put into the space", async () => {
  const client = {
    createRoom: vi.fn(() => Promise.resolve({ room_id: "!new" })),
    sendStateEvent: vi.fn(() => Promise.resolve({ event_id: "$1" })),
    getDomain: () => "example.org",
  };
  const roomId = await createChannel(client as unknown as MatrixClient, { ...channel, space: "!space" });
  expect(roomId).toBe("!new");
  expect(client.sendStateEvent).toHaveBeenCalledWith(
    "!space",
    "m.space.child",
    { via: ["example.org"], suggested: true },
    "!new",
  );
});

function talking(answer: () => Promise<unknown>) {
  return {
    getAccountData: () => undefined,
    setAccountData: vi.fn(() => Promise.resolve({})),
    createRoom: vi.fn(() => Promise.resolve({ room_id: "!made" })),
    getDomain: () => "example.org",
    http: { authedRequest: vi.fn(answer) },
  };
}

test("the server makes direct messages, so that two who begin at once meet in one room", async () => {
  const client = talking(() => Promise.resolve({ room_id: "!theirs" }));
  expect(await openDirect(client as unknown as MatrixClient, "@ben:example.org")).toBe("!theirs");
  expect(client.http.authedRequest).toHaveBeenCalledWith(
    "POST",
    "/direct/%40ben%3Aexample.org",
    undefined,
    {},
    { prefix: "/_orvale/client/v1" },
  );
  expect(client.createRoom).not.toHaveBeenCalled();
});

test("with somebody of another server the room is made here and listed", async () => {
  const client = talking(() => Promise.reject(new Error("not asked")));
  expect(await openDirect(client as unknown as MatrixClient, "@zoe:elsewhere.org")).toBe("!made");
  expect(client.http.authedRequest).not.toHaveBeenCalled();
  expect(client.setAccountData).toHaveBeenCalledWith("m.direct", { "@zoe:elsewhere.org": ["!made"] });
});

test("a refusal of the server is not gone around", async () => {
  const refusal = Object.assign(new Error("no"), { errcode: "M_INVITE_BLOCKED" });
  const client = talking(() => Promise.reject(refusal));
  await expect(openDirect(client as unknown as MatrixClient, "@ben:example.org")).rejects.toBe(refusal);
  expect(client.createRoom).not.toHaveBeenCalled();
});

test("all channels are those of one's spaces and those listed for everybody, each once", async () => {
  const room = (room_id: string, name: string) => ({ room_id, name, num_joined_members: 1 });
  const space = {
    roomId: "!space",
    name: "All of us",
    getType: () => "m.space",
    getMyMembership: () => "join",
    currentState: { maySendStateEvent: () => false },
  };
  const client = {
    getSafeUserId: () => "@ada:example.org",
    getRooms: () => [space],
    getRoom: () => null,
    publicRooms: () =>
      Promise.resolve({ chunk: [room("!a", "Ideas"), room("!b", "Lunch")], next_batch: "n" }),
    getRoomHierarchy: () =>
      Promise.resolve({
        rooms: [
          { ...room("!space", "All of us"), room_type: "m.space" },
          room("!a", "Ideas"),
          room("!c", "Inside"),
        ],
      }),
  } as unknown as MatrixClient;
  const page = await findChannels(client, { term: "i", space: null, from: null });
  expect(page.channels.map((channel) => channel.roomId)).toEqual(["!a", "!c", "!b"]);
  expect(page.next).toBe("n");
  const more = await findChannels(client, { term: "", space: null, from: "n" });
  expect(more.channels.map((channel) => channel.roomId)).toEqual(["!a", "!b"]);
});
