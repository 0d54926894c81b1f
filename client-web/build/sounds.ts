import type { Plugin } from "vite";

const RATE = 22_050;

/** A tone: when it begins, how high it is, how fast it fades (in seconds), how loud it is. */
interface Tone {
  readonly at: number;
  readonly hertz: number;
  readonly fade: number;
  readonly loud: number;
}

/** Each sound as a few tones: a ding, a rising pair, three soft ones. */
const sounds: Record<string, readonly Tone[]> = {
  "message-ding": [
    { at: 0, hertz: 880, fade: 0.12, loud: 0.6 },
    { at: 0, hertz: 1760, fade: 0.06, loud: 0.2 },
  ],
  "mention-ping": [
    { at: 0, hertz: 987.77, fade: 0.09, loud: 0.6 },
    { at: 0.11, hertz: 1318.51, fade: 0.16, loud: 0.65 },
    { at: 0.11, hertz: 2637.02, fade: 0.07, loud: 0.15 },
  ],
  "group-notification": [
    { at: 0, hertz: 523.25, fade: 0.1, loud: 0.45 },
    { at: 0.09, hertz: 659.26, fade: 0.1, loud: 0.45 },
    { at: 0.18, hertz: 783.99, fade: 0.16, loud: 0.45 },
  ],
};

/** The tones as a WAV file: one channel, 16 bits. */
export function wav(tones: readonly Tone[]): Buffer {
  const length = Math.ceil(Math.max(...tones.map(({ at, fade }) => at + fade * 4)) * RATE);
  const file = Buffer.alloc(44 + length * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + length * 2, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(length * 2, 40);
  for (let index = 0; index < length; index += 1) {
    let value = 0;
    for (const { at, hertz, fade, loud } of tones) {
      const time = index / RATE - at;
      if (time < 0) continue;
      // A soft beginning, so that nothing clicks.
      const swell = Math.min(1, time / 0.004);
      value += loud * swell * Math.exp(-time / fade) * Math.sin(2 * Math.PI * hertz * time);
    }
    const end = Math.min(1, (length - index) / (RATE * 0.01));
    file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, value * end)) * 32_000), 44 + index * 2);
  }
  return file;
}

/** The sounds of notifications, made here and served by ourselves below `/sounds/`. */
export function notificationSounds(): Plugin {
  return {
    name: "orvale-sounds",
    generateBundle() {
      for (const [name, tones] of Object.entries(sounds))
        this.emitFile({ type: "asset", fileName: `sounds/${name}.wav`, source: wav(tones) });
    },
    configureServer(server) {
      server.middlewares.use("/sounds", (request, response, next) => {
        const tones = sounds[/^\/([\w-]+)\.wav$/.exec(request.url ?? "")?.[1] ?? ""];
        if (!tones) return next();
        response.setHeader("content-type", "audio/wav");
        response.end(wav(tones));
      });
    },
  };
}
