import { Person } from "./person.ts";

/**
 * Data set S: a person of forty rooms, in each of which a little was said. Answers with the person and the rooms; the last one is the
 * one that is opened.
 */
export async function fortyRooms(address: string, user: string): Promise<{ person: Person; rooms: string[] }> {
  const person = await Person.logIn(address, user);
  const other = await Person.logIn(address, "ben");
  const rooms: string[] = [];
  for (let nth = 0; nth < 40; nth += 1) {
    const room = await person.create({ name: `Room ${String(nth).padStart(2, "0")}`, preset: "public_chat", topic: `Matters of number ${nth}` });
    await other.join(room);
    for (let said = 0; said < 10; said += 1)
      await (said % 2 === 0 ? person : other).say(room, `Said in room ${nth}, number ${said}: words of an ordinary length, as one writes them.`);
    rooms.push(room);
  }
  return { person, rooms };
}
