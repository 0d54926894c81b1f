import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { withinBudgets } from "./build/budgets.ts";
import { chunkFileNames, chunks } from "./build/chunks.ts";
import { compiledAtOnce } from "./build/compiled-at-once.ts";
import { compressed } from "./build/compressed.ts";
import { emojiData } from "./build/emoji-data.ts";
import { leanSdk } from "./build/lean-sdk.ts";
import { serviceWorker } from "./build/service-worker.ts";
import { notificationSounds } from "./build/sounds.ts";
import { standIns } from "./build/stand-ins.ts";

/** Where a homeserver listens while the client is served by Vite. */
const homeserver = process.env.ORVALE_DEV_SERVER ?? "http://127.0.0.1:8008";

export default defineConfig({
  plugins: [
    leanSdk(),
    react(),
    emojiData(),
    notificationSounds(),
    withinBudgets(),
    serviceWorker(),
    compiledAtOnce(),
    compressed(),
  ],
  resolve: { alias: standIns },
  build: {
    // The crate that compiles these files into `orvale`.
    outDir: "../homeserver/web-client/files/built",
    emptyOutDir: true,
    target: "es2023",
    // No data: addresses: the content security policy has one rule less, and files are cached one by one.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: chunks, chunkFileNames } },
  },
  // The server puts a fresh number in here with each page; styles and scripts without it are refused.
  html: { cspNonce: "ORVALE_NONCE" },
  server: {
    port: 5173,
    proxy: { "/_matrix": homeserver, "/_orvale": homeserver, "/.well-known": homeserver },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "build/**/*.test.ts"],
    restoreMocks: true,
    maxWorkers: 2,
    // A shared machine: what hangs is still found.
    testTimeout: 30_000,
  },
});
