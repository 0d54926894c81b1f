import { afterEach, expect, test, vi } from "vitest";

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

afterEach(() => vi.useRealTimers());

const looking = () => true;
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the keys are in one tab, and go to the one that asks", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(looking);
  await other.take(looking);
  expect([one.held, other.held]).toEqual([false, true]);
});

test("a tab in the middle of something keeps them, until it is closed", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(looking);
  one.onAsked = () => Promise.resolve(false);
  let there = false;
  void other.take(looking).then(() => (there = true));
  await turn();
  expect([one.held, there]).toEqual([true, false]);
  one.close();
  await turn();
  expect([other.held, there]).toEqual([true, true]);
});

test("a tab that is looked at asks until whoever has them has ended what they were doing", async () => {
  vi.useFakeTimers();
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(looking);
  let [busy, looked] = [true, false];
  one.onAsked = () => Promise.resolve(!busy);
  void other.take(() => looked);
  await vi.advanceTimersByTimeAsync(2_000);
  busy = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(other.held).toBe(false);
  looked = true;
  await vi.advanceTimersByTimeAsync(500);
  expect([one.held, other.held]).toEqual([false, true]);
  expect(vi.getTimerCount()).toBe(0);
});

test("what came for the keys is passed on to the tab that has them", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.take(looking);
  const heard: unknown[] = [];
  one.onNews = (news) => heard.push(...news);
  other.pass([{ type: "m.room.encrypted" }]);
  expect(heard).toEqual([{ type: "m.room.encrypted" }]);
});

test("without locks a tab has them at once", async () => {
  const alone = new Ownership("keys", { locks: undefined, channel: undefined });
  await alone.take(() => false);
  expect(alone.held).toBe(true);
});
