import { defineConfig } from "@playwright/test";

const browser = process.env.ORVALE_TEST_BROWSER ?? "chromium-headless-shell";

/** Tests of how long something takes. */
const MEASURED = /@measured/;

export default defineConfig({
  testDir: "suite",
  // Stories mostly wait, so two are told at a time, each with a server of its own. What measures time has the machine to itself.
  workers: 2,
  fullyParallel: false,
  projects: [
    { name: "stories", grepInvert: MEASURED, outputDir: "../artifacts/browser/stories" },
    // A neighbour of the machine may take its time twice.
    { name: "figures", grep: MEASURED, workers: 1, retries: process.env.CI ? 2 : 0, outputDir: "../artifacts/browser/figures" },
  ],
  timeout: 120_000,
  // A busy machine may lose a race for a reason of its own; what is lost twice is a fault. Which was retried is told.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    locale: "en-GB",
    // What is tried with the service worker allows it: it answers before a test that looks at requests can.
    serviceWorkers: "block",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1440, height: 900 },
    // A record of what happens costs a third of the time: it is made of what failed once.
    trace: process.env.CI ? "on-first-retry" : "retain-on-failure",
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
