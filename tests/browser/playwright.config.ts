import { defineConfig } from "@playwright/test";

const browser = process.env.ORVALE_TEST_BROWSER ?? "chromium-headless-shell";

export default defineConfig({
  testDir: "suite",
  // One server and one browser at a time: the machine is small, and figures are measured.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  outputDir: "../artifacts/browser",
  use: {
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: browser.includes("/") ? browser : `/usr/bin/${browser}`,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
