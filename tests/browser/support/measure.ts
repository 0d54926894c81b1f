import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

/** How long the two things below take, in ms, on the machine the limits were written for: a loop of 60,000,000 rounds takes 100. */
const REFERENCE = { loop: 25, mount: 25 };
const ROUNDS = 15_000_000;

const library = join(import.meta.dirname, "../../../client-web/node_modules");

/** React as a page without our program can run it. */
const react = (() => {
  const names = { react: "react", "react-dom": "react-dom", scheduler: "scheduler", client: "react-dom/client" };
  const files = {
    [names.react]: "react/cjs/react.production.js",
    [names["react-dom"]]: "react-dom/cjs/react-dom.production.js",
    [names.scheduler]: "scheduler/cjs/scheduler.production.js",
    [names.client]: "react-dom/cjs/react-dom-client.production.js",
  };
  const parts = Object.entries(files).map(
    ([name, file]) => `${JSON.stringify(name)}:(exports,require,module)=>{${readFileSync(join(library, file), "utf8")}\n}`,
  );
  return `(()=>{const parts={${parts.join(",")}};const known={};const process={env:{NODE_ENV:"production"}};
    const require=(name)=>{if(!known[name]){const module={exports:{}};known[name]=module;parts[name](module.exports,require,module);}return known[name].exports;};
    return {React:require("react"),dom:require("react-dom"),client:require("react-dom/client")};})()`;
})();

const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/**
 * How much slower this machine is just now than the one the limits were written for, measured in the same browser by what is the same
 * everywhere: a loop, and React putting three thousand elements onto a page. Of nine the first two warm up and the median of the
 * others counts; of loop and mount the one that is slower. Limits of time are multiplied by it; limits of counts are not.
 */
export async function slowness(page: Page): Promise<number> {
  const beside = await page.context().newPage();
  try {
    const { loops, mounts } = await beside.evaluate(async ([code, rounds]) => {
      // eslint-disable-next-line no-eval -- a page of its own, without our policy
      const { React, dom, client } = (0, eval)(code) as {
        React: { createElement: (type: string, props: object | null, ...children: unknown[]) => unknown };
        dom: { flushSync: (act: () => void) => void };
        client: { createRoot: (element: Element) => { render: (node: unknown) => void; unmount: () => void } };
      };
      const loop = () => {
        const begun = performance.now();
        let x = 1;
        for (let round = 0; round < rounds; round += 1) {
          x ^= x << 13;
          x ^= x >>> 17;
          x ^= x << 5;
        }
        return x === 0 ? 0 : performance.now() - begun;
      };
      const mount = () => {
        const place = document.body.appendChild(document.createElement("div"));
        const root = client.createRoot(place);
        const rows = Array.from({ length: 1000 }, (_, nth) =>
          React.createElement("div", { key: nth }, React.createElement("b", null, nth), React.createElement("span", null, "a row of text")),
        );
        const begun = performance.now();
        dom.flushSync(() => root.render(rows));
        const height = place.offsetHeight;
        const taken = performance.now() - begun;
        root.unmount();
        place.remove();
        return height < 0 ? 0 : taken;
      };
      const loops: number[] = [];
      const mounts: number[] = [];
      for (let run = 0; run < 9; run += 1) {
        loops.push(loop());
        mounts.push(mount());
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return { loops: loops.slice(2), mounts: mounts.slice(2) };
    }, [react, ROUNDS] as const);
    return Math.max(1, middle(loops) / REFERENCE.loop, middle(mounts) / REFERENCE.mount);
  } finally {
    await beside.close();
  }
}

/** Nine measurements, each with how slow the machine was around it: the median of the last seven, as it would be on the reference. */
export async function calibrated(
  page: Page,
  measure: (run: number) => Promise<number>,
  every = 3,
): Promise<{ ms: number; told: string }> {
  const taken: { ms: number; factor: number }[] = [];
  let before = await slowness(page);
  for (let run = 0; run < 9; run += 1) {
    const ms = await measure(run);
    // Not every time: it takes longer than what is measured.
    const after = run % every === every - 1 ? await slowness(page) : before;
    taken.push({ ms, factor: (before + after) / 2 });
    before = after;
  }
  const counted = taken.slice(2);
  const told = counted.map(({ ms, factor }) => `${ms.toFixed(0)}/${factor.toFixed(2)}`).join(" ");
  return { ms: middle(counted.map(({ ms, factor }) => ms / factor)), told };
}

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * of) / 100) - 1)]!;
}

/** Counts which rows React draws: through the door it keeps open for its developer tools, which is there in every build. */
export async function countDrawnRows(page: Page): Promise<void> {
  await page.addInitScript(() => {
    interface Fiber {
      tag: number;
      flags: number;
      child: Fiber | null;
      sibling: Fiber | null;
      alternate: Fiber | null;
      memoizedProps: Record<string, unknown> | null;
    }
    const drawn = { messages: new Set<string>(), rooms: new Set<string>() };
    const COMPONENTS = new Set([0, 1, 11, 14, 15]);
    const PERFORMED_WORK = 1;
    type Row = [kind: "messages" | "rooms", key: string] | null;
    const rowOf = (fiber: Fiber, above: Row): Row => {
      const props = fiber.memoizedProps;
      if (!props || !COMPONENTS.has(fiber.tag)) return above;
      if (typeof props.rowKey === "string" && "handlers" in props) return ["messages", props.rowKey];
      if (typeof props.roomId === "string" && "onMenu" in props) return ["rooms", props.roomId];
      return above;
    };
    const look = (fiber: Fiber, above: Row) => {
      const row = rowOf(fiber, above);
      const before = fiber.alternate;
      if (row && COMPONENTS.has(fiber.tag) && (before === null || fiber.flags & PERFORMED_WORK)) drawn[row[0]].add(row[1]);
      if (before !== null && before.child === fiber.child) return;
      for (let child = fiber.child; child; child = child.sibling) look(child, row);
    };
    const hook = {
      renderers: new Map(),
      supportsFiber: true,
      inject: () => 1,
      checkDCE: () => undefined,
      onCommitFiberUnmount: () => undefined,
      onPostCommitFiberRoot: () => undefined,
      onCommitFiberRoot: (_id: number, root: { current: Fiber }) => look(root.current, null),
    };
    Object.assign(window, { __REACT_DEVTOOLS_GLOBAL_HOOK__: hook, drawn });
  });
}

/** The rows drawn since this was asked last. */
export async function drawnRows(page: Page): Promise<{ messages: number; rooms: number }> {
  return page.evaluate(() => {
    const { drawn } = window as unknown as { drawn: { messages: Set<string>; rooms: Set<string> } };
    const counts = { messages: drawn.messages.size, rooms: drawn.rooms.size };
    drawn.messages.clear();
    drawn.rooms.clear();
    return counts;
  });
}

/** Opens a room by a press in the list; answers how long it took until its messages were painted, and until its heading was. */
export async function timeSwitch(page: Page, roomId: string): Promise<{ heading: number; messages: number }> {
  return page.evaluate(async (id) => {
    const button = document.querySelector<HTMLElement>(`[data-room="${CSS.escape(id)}"]`);
    if (!button) throw new Error("the room is not in the list");
    const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    const begun = performance.now();
    button.click();
    let heading = 0;
    for (;;) {
      await frame();
      const shown = location.pathname.includes(encodeURIComponent(id));
      if (shown && heading === 0 && document.querySelector("h1")) heading = performance.now() - begun;
      if (shown && document.querySelector("[role=log] [role=article]")) return { heading, messages: performance.now() - begun };
      if (performance.now() - begun > 20_000) throw new Error("the room did not open");
    }
  }, roomId);
}
