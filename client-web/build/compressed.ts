import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import type { Plugin } from "vite";

const WORTH_COMPRESSING = /\.(js|css|json|svg|wasm|webmanifest|txt)$/;
const SMALLEST = 1024;

/**
 * Beside each file its brotli and gzip form, so that the server compresses nothing while it serves.
 *
 * `index.html` is left out: the server writes a number into it with each answer.
 */
export function compressed(): Plugin {
  return {
    name: "orvale-compressed",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        const forms = Object.entries(bundle).map(async ([fileName, output]) => {
          const source = Buffer.from(output.type === "chunk" ? output.code : output.source);
          if (!WORTH_COMPRESSING.test(fileName) || source.length < SMALLEST) return;
          const [br, gz] = await Promise.all([brotli(source), promisify(gzip)(source, { level: 9 })]);
          this.emitFile({ type: "asset", fileName: `${fileName}.br`, source: br });
          this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source: gz });
        });
        // Side by side, on as many threads as Node has for it.
        await Promise.all(forms);
      },
    },
  };
}

function brotli(source: Buffer): Promise<Buffer> {
  // The highest level takes half a minute for the crypto module, level 9 a second.
  const quality = source.length > 1_000_000 ? 9 : constants.BROTLI_MAX_QUALITY;
  return promisify(brotliCompress)(source, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: source.length,
    },
  });
}
