import { expect, type Page } from "@playwright/test";

/** The messages of the open room. */
export const log = (page: Page) => page.getByRole("log");

/** How far the view is from the end. */
export const gap = (page: Page) =>
  log(page).evaluate((element) =>
    Math.round(element.scrollHeight - element.clientHeight - element.scrollTop),
  );

/** A message, and how far its upper edge is below that of the view. */
export interface Stand {
  id: string;
  at: number;
}

/** The first message that is wholly in view. */
export const firstInView = (page: Page) =>
  log(page).evaluate((element): Stand => {
    const top = element.getBoundingClientRect().top;
    for (const item of element.querySelectorAll<HTMLElement>(
      "[role=article]",
    )) {
      const at = item.getBoundingClientRect().top - top;
      if (at >= 0) return { id: item.dataset["eventId"] ?? "", at };
    }
    return { id: "", at: 0 };
  });

/** Where a message stands, or null if it is not on the page. */
export const placeOf = (page: Page, id: string) =>
  log(page).evaluate((element, eventId) => {
    const item = element.querySelector(
      `[data-event-id="${CSS.escape(eventId)}"]`,
    );
    return item
      ? item.getBoundingClientRect().top - element.getBoundingClientRect().top
      : null;
  }, id);

/** Lets what was just scrolled come to rest: three equal measurements in a row. */
export async function rest(page: Page): Promise<void> {
  let before = "";
  let same = 0;
  await expect
    .poll(
      async () => {
        const now = JSON.stringify([await firstInView(page), await gap(page)]);
        same = now === before ? same + 1 : 0;
        before = now;
        return same >= 2;
      },
      { intervals: [60] },
    )
    .toBe(true);
}

/** Turns the wheel over the messages and waits until they came to rest; at the beginning or the end nothing moves. */
export async function wheel(page: Page, by: number): Promise<void> {
  const top = () => log(page).evaluate((element) => element.scrollTop);
  const before = await top();
  const room = by < 0 ? before : await gap(page);
  await log(page).hover();
  await page.mouse.wheel(0, by);
  if (room > 0) await expect.poll(top, { intervals: [30] }).not.toBe(before);
  await rest(page);
}

/** What was measured over some frames. */
export interface Frames {
  /** The largest value that two frames in a row reached. */
  most: number;
  /** How far two frames in a row were from the first. */
  moved: number;
  count: number;
}

/**
 * Measures after each frame: where a message stands, or how far the view is from the end. A single frame tells nothing: what changes
 * between two frames is measured here before the page had its turn to put it right, which is before the next one is painted.
 */
export async function watchFrames(
  page: Page,
  eventId: string | null,
): Promise<() => Promise<Frames>> {
  await log(page).evaluate((element, id) => {
    const seen = { values: [] as number[], stop: false };
    Object.assign(window, { seen });
    const look = () => {
      // After the frame: a task that follows it.
      setTimeout(() => {
        const item =
          id === null
            ? null
            : element.querySelector(`[data-event-id="${CSS.escape(id)}"]`);
        if (id === null)
          seen.values.push(
            element.scrollHeight - element.clientHeight - element.scrollTop,
          );
        else
          seen.values.push(
            item
              ? item.getBoundingClientRect().top -
                  element.getBoundingClientRect().top
              : Infinity,
          );
        if (!seen.stop) requestAnimationFrame(look);
      }, 0);
    };
    requestAnimationFrame(look);
  }, eventId);
  return () =>
    page.evaluate(() => {
      const { seen } = window as unknown as {
        seen: { values: number[]; stop: boolean };
      };
      seen.stop = true;
      const lasting = (values: number[]) =>
        Math.max(
          ...values.slice(1).map((value, at) => Math.min(value, values[at]!)),
        );
      const first = seen.values[0]!;
      return {
        most: lasting(seen.values),
        moved: lasting(seen.values.map((value) => Math.abs(value - first))),
        count: seen.values.length,
      };
    });
}
