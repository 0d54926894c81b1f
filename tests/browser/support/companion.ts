import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { PASSWORD } from "./orvale.ts";

const home = join(import.meta.dirname, "../../conformance/js");

/** Another device of somebody's, with a client that is not ours: matrix-js-sdk by itself, in a process of its own. */
export class Companion {
  #process: ChildProcess;
  #told: Record<string, unknown> = {};
  #listeners: (() => void)[] = [];
  #ended = false;

  private constructor(running: ChildProcess) {
    this.#process = running;
    const wake = () => this.#listeners.splice(0).forEach((listener) => listener());
    createInterface({ input: running.stdout! }).on("line", (line) => {
      Object.assign(this.#told, JSON.parse(line));
      wake();
    });
    running.on("exit", () => {
      this.#ended = true;
      wake();
    });
  }

  /** Logs in and waits to be asked to compare emoji, or asks for it itself. It knows all ways to verify, or those that are given. */
  static start(address: string, user: string, role: "asked" | "asks", methods: string[] = []): Companion {
    const story = ["--import", "./support/platform.mjs", "stories/compare-emoji.mjs", user, PASSWORD, role, methods.join(",")];
    return new Companion(
      spawn(process.execPath, story, {
        cwd: home,
        env: { ...process.env, HOMESERVER_URL: address },
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
  }

  /** Waits until it tells something, by its name. */
  async tells(name: string): Promise<unknown> {
    while (!(name in this.#told)) {
      if (this.#ended) throw new Error(`the other client ended before it told: ${name}`);
      await new Promise<void>((next) => this.#listeners.push(next));
    }
    return this.#told[name];
  }

  /** Says that its emoji are the same. */
  confirm(): void {
    this.#process.stdin?.write("yes\n");
  }
}
