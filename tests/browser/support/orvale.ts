import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { Web } from "./web.ts";

const binary = process.env.ORVALE_TEST_BINARY ?? join(import.meta.dirname, "../../../target/debug/orvale");

const crowdShare = process.env.ORVALE_TEST_CROWD ?? "10";

/** The password of everybody in the demo. */
export const PASSWORD = "orvale-demo";

/** What the management system of the tests signs with when it hands somebody over. */
const HANDOVER_SECRET = "a secret of the browser tests, 32 bytes";

/** A token as the management system signs it, good for a minute. */
export function handover(claims: { sub: string; name?: string }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ ...claims, exp: Math.floor(Date.now() / 1000) + 60 })}`;
  return `${body}.${createHmac("sha256", HANDOVER_SECRET).update(body).digest("base64url")}`;
}

/** The real server as a process, on a free port and an empty directory, with the demo's people and rooms. */
export class Orvale {
  readonly address: string;
  /** What this server may ask of others. */
  readonly web: Web;
  #home: string;
  #process: ChildProcess | null = null;

  private constructor(address: string, home: string, web: Web) {
    this.address = address;
    this.web = web;
    this.#home = home;
  }

  /** A server of its own; or, for trying things, the one at ORVALE_TEST_ADDRESS, which nobody stops. */
  static async start(): Promise<Orvale> {
    const running = process.env.ORVALE_TEST_ADDRESS;
    if (running) return new Orvale(running, "", await webServer());
    return Orvale.startOwn();
  }

  /** A server of its own in any case: to be killed. */
  static async startOwn(): Promise<Orvale> {
    return Orvale.#startIn(await mkdtemp(join(tmpdir(), "orvale-browser-")));
  }

  /**
   * Data set L: ada in 3,000 rooms, one of which has 5,000 people and 100,000 events. A tenth of it, unless ORVALE_TEST_CROWD says
   * which part: 1 is all.
   */
  static async startWithCrowd(): Promise<Orvale> {
    const running = process.env.ORVALE_TEST_CROWD_ADDRESS;
    if (running) return new Orvale(running, "", await webServer());
    const home = await mkdtemp(join(tmpdir(), "orvale-crowd-"));
    const fill = spawn(join(dirname(binary), "fill"), ["crowd", home, "--share", crowdShare], { stdio: ["ignore", "ignore", "inherit"] });
    const [code] = (await once(fill, "exit")) as [number | null];
    if (code !== 0) throw new Error(`fill ended with ${code}`);
    return Orvale.#startIn(home);
  }

  static async #startIn(home: string): Promise<Orvale> {
    const web = await webServer();
    const port = await freePort();
    const settings = `
      server_name = "test.example"
      data_dir = ${JSON.stringify(join(home, "data"))}
      listeners = [{ address = "127.0.0.1", port = ${port} }]
      [rate_limits]
      enabled = false
      [users.registration]
      mode = "open"
      [users.jwt]
      keys = [{ algorithm = "HS256", secret = ${JSON.stringify(HANDOVER_SECRET)} }]
      display_name_claim = "name"
      [users.passwords]
      argon2_memory_kib = 64
      argon2_iterations = 1
      [media.previews]
      allowed_private_ranges = ["127.0.0.0/8"]
      [media.gifs]
      provider = "giphy"
      key = "a key of the browser tests"
      base_url = "${web.address}/v1/gifs"
      allowed_private_ranges = ["127.0.0.0/8"]
    `;
    await writeFile(join(home, "orvale.toml"), settings);
    const orvale = new Orvale(`http://127.0.0.1:${port}`, home, web);
    await orvale.startAgain();
    return orvale;
  }

  /** Starts the process on what is in the directory, and waits until it answers. */
  async startAgain(): Promise<void> {
    const started = spawn(binary, ["serve", "--demo", "--config", join(this.#home, "orvale.toml")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#process = started;
    for (;;) {
      if (started.exitCode !== null) throw new Error(`orvale ended with ${started.exitCode}`);
      const answer = await fetch(`${this.address}/health`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the process; the directory stays. */
  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (!running || running.exitCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    await ended;
  }

  /** Ends the process as a power cut would. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (!running || running.exitCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGKILL");
    await ended;
  }

  /** Ends the process and removes the directory. */
  async remove(): Promise<void> {
    await this.stop();
    await this.web.stop();
    if (this.#home) await rm(this.#home, { recursive: true, force: true });
  }

  /** A request as a client would make it. */
  async ask<T>(path: string, init: { method?: string; token?: string; body?: unknown } = {}): Promise<T> {
    const answer = await fetch(this.address + path, {
      method: init.method ?? (init.body === undefined ? "GET" : "POST"),
      headers: init.token ? { authorization: `Bearer ${init.token}` } : {},
      body: init.body === undefined ? null : JSON.stringify(init.body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Makes an account nobody has written to. */
  async register(user: string): Promise<{ user_id: string; access_token: string }> {
    return this.ask("/_matrix/client/v3/register", {
      body: { username: user, password: PASSWORD, auth: { type: "m.login.dummy" } },
    });
  }
}

const webServer = () => Web.start(Number(process.env.ORVALE_TEST_WEB ?? 0));

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("a socket has a port");
  return address.port;
}
