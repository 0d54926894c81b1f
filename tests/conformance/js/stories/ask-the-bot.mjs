// Somebody asks a bot in a room, thanks it and leaves; prints what they saw. The bot's side is nio/test_with_js.py.

import { RoomMemberEvent } from "matrix-js-sdk";
import { Person } from "../support/person.mjs";
import { until } from "../support/waiting.mjs";

const [alias, bot] = process.argv.slice(2);
const person = await Person.register("visitor");
const { client, userId } = person;

let sawTyping = false;
client.on(RoomMemberEvent.Typing, (_, member) => (sawTyping ||= member.userId === bot && member.typing));

await person.join(alias);
const { room_id: roomId } = await client.getRoomIdForAlias(alias);
await until("the room is there", () => person.sees(roomId, { userId: bot }) === "join");

const answers = [];
let sawReadMark = true;
for (const question of ["hello", "good bye"]) {
    const asked = await person.say(roomId, `!shout ${question}`);
    const answer = await until("the bot answers", () =>
        person.room(roomId).getLiveTimeline().getEvents().find((event) => event.replyEventId === asked),
    );
    answers.push(answer.getContent().body);
    const readUpTo = () => person.room(roomId).getEventReadUpTo(bot, true);
    sawReadMark &&= Boolean(await until("the bot has read", () => readUpTo() === asked || readUpTo() === answer.getId()));
    await client.sendEvent(roomId, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: answer.getId(), key: "👍" },
    });
}
await until("the bot was seen typing", () => sawTyping);
await client.leave(roomId);
console.log(JSON.stringify({ userId, answers, sawTyping, sawReadMark }));
process.exit(0);
