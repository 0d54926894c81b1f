import { afterEach, expect, test } from "vitest";

import { placeOfAddress } from "./address";
import { paths } from "./paths";

afterEach(() => history.replaceState(null, "", "/"));

test("the room and message of an address are read as they are called, not as they are written in it", () => {
  const at = (path: string) => {
    history.replaceState(null, "", path);
    return placeOfAddress();
  };
  expect(at(paths.event("!a:example.org", "$e/+="))).toEqual({ roomId: "!a:example.org", eventId: "$e/+=" });
  expect(at(`${paths.room("!a:example.org")}?beside=members`)).toEqual({
    roomId: "!a:example.org",
    eventId: null,
  });
  expect(at("/chat")).toEqual({ roomId: null, eventId: null });
  expect(at("/chat/room/%E0%A4%A")).toEqual({ roomId: "%E0%A4%A", eventId: null });
});
