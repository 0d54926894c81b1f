// Names that only look the same, compared again once the table of such signs is there.

import { EventType, type MatrixClient } from "matrix-js-sdk";

import { whenLearned } from "./homoglyphs";

/** Lets every room compare its members' names again when the table has been loaded. */
export function keepNamesApart(client: MatrixClient): void {
  const stop = whenLearned(() => {
    stop();
    for (const room of client.getRooms()) {
      const members = room.currentState.getStateEvents(EventType.RoomMember);
      if (members.some((event) => /[^\0-\x7f]/.test(String(event.getContent().displayname ?? "")))) {
        room.currentState.setStateEvents(members);
      }
    }
  });
}
