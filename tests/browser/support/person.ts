import { PASSWORD } from "./orvale.ts";

interface Told {
  event_id: string;
  type: string;
  sender: string;
  content: Record<string, unknown>;
}

/** Somebody with another client: all goes over the client-server API. */
export class Person {
  readonly userId: string;
  #address: string;
  #token: string;
  #count = 0;

  private constructor(address: string, userId: string, token: string) {
    this.#address = address;
    this.userId = userId;
    this.#token = token;
  }

  static async logIn(address: string, user: string, password = PASSWORD): Promise<Person> {
    const answer = await fetch(`${address}/_matrix/client/v3/login`, {
      method: "POST",
      body: JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
      }),
    });
    if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`);
    const { user_id, access_token } = (await answer.json()) as { user_id: string; access_token: string };
    return new Person(address, user_id, access_token);
  }

  /** A request with this person's token. */
  async ask<T>(path: string, method = "GET", body?: unknown): Promise<T> {
    const answer = await fetch(this.#address + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async create(room: object): Promise<string> {
    return (await this.ask<{ room_id: string }>("/_matrix/client/v3/createRoom", "POST", room)).room_id;
  }

  async join(room: string): Promise<void> {
    await this.ask(`/_matrix/client/v3/join/${encodeURIComponent(room)}`, "POST", {});
  }

  async send(room: string, content: object, type = "m.room.message"): Promise<string> {
    this.#count += 1;
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/${type}/${Date.now()}-${this.#count}`;
    return (await this.ask<{ event_id: string }>(path, "PUT", content)).event_id;
  }

  async say(room: string, body: string): Promise<string> {
    return this.send(room, { msgtype: "m.text", body });
  }

  async react(room: string, event: string, key: string): Promise<string> {
    return this.send(room, { "m.relates_to": { rel_type: "m.annotation", event_id: event, key } }, "m.reaction");
  }

  /** Says that everything up to an event has been read. */
  async read(room: string, event: string): Promise<void> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/receipt/m.read/${encodeURIComponent(event)}`;
    await this.ask(path, "POST", {});
  }

  /** Begins or ends typing. */
  async type(room: string, typing: boolean): Promise<void> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/typing/${encodeURIComponent(this.userId)}`;
    await this.ask(path, "PUT", typing ? { typing, timeout: 5000 } : { typing });
  }

  async event(room: string, id: string): Promise<Told> {
    return this.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(id)}`);
  }

  /** The newest events of a room, the newest first. */
  async newest(room: string, limit = 30): Promise<Told[]> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=${limit}`;
    return (await this.ask<{ chunk: Told[] }>(path)).chunk;
  }

  async upload(name: string, type: string, bytes: string | Uint8Array): Promise<string> {
    const answer = await fetch(
      `${this.#address}/_matrix/media/v3/upload?filename=${encodeURIComponent(name)}`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${this.#token}`, "content-type": type },
        body: bytes as BodyInit,
      },
    );
    if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { content_uri: string }).content_uri;
  }

  /** The events that a word finds. */
  async search(words: string): Promise<string[]> {
    interface Found {
      search_categories: { room_events: { results: { result: { event_id: string } }[] } };
    }
    const body = { search_categories: { room_events: { search_term: words, order_by: "recent" } } };
    const found = await this.ask<Found>("/_matrix/client/v3/search", "POST", body);
    return found.search_categories.room_events.results.map(({ result }) => result.event_id);
  }
}
