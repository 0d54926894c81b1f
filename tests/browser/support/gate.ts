import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A door before the server: it lets everything through, or keeps what is asked of the API waiting. The program's files always pass. */
export class Gate {
  readonly address: string;
  /** How many of the API's answers went through since `shut` was called. */
  answered = 0;
  #server: Server;
  #waiting: (() => void)[] | null = null;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  static async before(address: string): Promise<Gate> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const gate = new Gate(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on("request", (asked: IncomingMessage, answer: ServerResponse) => void gate.#pass(address, asked, answer));
    return gate;
  }

  /** From now on the API answers nothing. */
  shut(): void {
    this.#waiting ??= [];
    this.answered = 0;
  }

  /** Lets through what has waited. */
  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const go of waiting) go();
  }

  async close(): Promise<void> {
    this.open();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(address: string, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const api = /^\/_(matrix|orvale)\//.test(asked.url ?? "");
    if (api && this.#waiting) await new Promise<void>((go) => this.#waiting!.push(go));
    const passed = request(new URL(asked.url ?? "/", address), { method: asked.method, headers: asked.headers }, (told) => {
      if (api) this.answered += 1;
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  }
}
