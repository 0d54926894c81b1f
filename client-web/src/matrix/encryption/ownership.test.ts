import { expect, test } from "vitest";

import { Ownership } from "./ownership";

/** Locks and a channel as a browser has them, shared by its tabs. */
class Browser {
  private readonly queue: Array<() => void> = [];
  private held = false;
  private readonly channels = new Set<{ onmessage: ((event: { data: unknown }) => void) | null }>();

  tab(): Ownership {
    const locks = {
      request: async (_name: string, act: () => Promise<void>) => {
        if (this.held) await new Promise<void>((next) => this.queue.push(next));
        this.held = true;
        await act();
        this.held = false;
        this.queue.shift()?.();
      },
    } as unknown as LockManager;
    const channel = {
      onmessage: null as ((event: { data: unknown }) => void) | null,
      postMessage: (data: unknown) => {
        for (const other of this.channels) if (other !== channel) other.onmessage?.({ data });
      },
      close: () => this.channels.delete(channel),
    };
    this.channels.add(channel);
    return new Ownership("keys", { locks, channel: channel as unknown as BroadcastChannel });
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the keys are in one tab, and go to the one that asks", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(true);
  await other.take(true);
  expect([one.held, other.held]).toEqual([false, true]);
});

test("a tab in the middle of something keeps them, until it is closed", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(true);
  one.onAsked = () => Promise.resolve(false);
  let there = false;
  void other.take(true).then(() => (there = true));
  await turn();
  expect([one.held, there]).toEqual([true, false]);
  one.close();
  await turn();
  expect([other.held, there]).toEqual([true, true]);
});

test("what came for the keys is passed on to the tab that has them", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(true);
  const heard: unknown[] = [];
  one.onNews = (news) => heard.push(...news);
  other.pass([{ type: "m.room.encrypted" }]);
  expect(heard).toEqual([{ type: "m.room.encrypted" }]);
});

test("without locks a tab has them at once", async () => {
  const alone = new Ownership("keys", { locks: undefined, channel: undefined });
  await alone.take(false);
  expect(alone.held).toBe(true);
});
