import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Browser, BrowserType, LaunchOptions, Page } from "@playwright/test";

const SIZE = { width: 640, height: 480 };

/** A browser with a camera, before which parts of other pages are held. */
export class Camera {
  readonly browser: Browser;
  #home: string;

  private constructor(browser: Browser, home: string) {
    this.browser = browser;
    this.#home = home;
  }

  /** Opens the browser; its camera sees nothing yet, and who asks for it is given it, or refused. */
  static async open(kind: BrowserType, options: LaunchOptions, nothing: Page, given = true): Promise<Camera> {
    const home = await mkdtemp(join(tmpdir(), "orvale-camera-"));
    await writeFile(join(home, "film.mjpeg"), await nothing.screenshot({ type: "jpeg", clip: { x: 0, y: 0, ...SIZE } }));
    const args = [
      ...(options.args ?? []),
      `--use-fake-ui-for-media-stream${given ? "" : "=deny"}`,
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-video-capture=${join(home, "film.mjpeg")}`,
    ];
    return new Camera(await kind.launch({ ...options, args }), home);
  }

  /** Holds a page before the camera, with the code that it shows in the middle. Seen by what turns the camera on afterwards. */
  async hold(page: Page): Promise<void> {
    const code = page.getByRole("img", { name: /^QR/ });
    const { x, y, width, height } = (await code.boundingBox())!;
    const clip = { x: x + width / 2 - SIZE.width / 2, y: y + height / 2 - SIZE.height / 2, ...SIZE };
    const held = join(this.#home, "held");
    await writeFile(held, await page.screenshot({ type: "jpeg", quality: 90, clip }));
    await rename(held, join(this.#home, "film.mjpeg"));
  }

  async close(): Promise<void> {
    await this.browser.close();
    await rm(this.#home, { recursive: true, force: true });
  }
}
