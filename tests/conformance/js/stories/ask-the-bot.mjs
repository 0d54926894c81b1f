// Somebody asks a bot in a room, thanks it and leaves; prints what they saw. The bot's side is nio/test_with_js.py.

import { Person } from "../support/person.mjs";
import { until } from "../support/waiting.mjs";

const [alias, bot] = process.argv.slice(2);
const person = await Person.register("visitor");
const { client, userId } = person;

await person.join(alias);
const { room_id: roomId } = await client.getRoomIdForAlias(alias);
await until("the room is there", () => person.sees(roomId, { userId: bot }) === "join");

const types = () => person.room(roomId).getMember(bot).typing;
const react = (eventId, key) =>
    client.sendEvent(roomId, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } });

const answers = [];
for (const question of ["hello", "good bye"]) {
    const asked = await person.say(roomId, `!shout ${question}`);
    await until("the bot types", types);
    await react(asked, "👀");
    const answer = await until("the bot answers", () =>
        person.room(roomId).getLiveTimeline().getEvents().find((event) => event.replyEventId === asked),
    );
    answers.push(answer.getContent().body);
    const readUpTo = () => person.room(roomId).getEventReadUpTo(bot, true);
    await until("the bot has read", () => readUpTo() === asked || readUpTo() === answer.getId());
    await until("the bot types no more", () => !types());
    await react(answer.getId(), "👍");
}
await client.leave(roomId);
console.log(JSON.stringify({ userId, answers }));
process.exit(0);
