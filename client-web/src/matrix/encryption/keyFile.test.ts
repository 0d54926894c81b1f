// @vitest-environment node

import { expect, test } from "vitest";

import { KeyFileError, readKeyFile, writeKeyFile } from "./keyFile";

const KEYS = JSON.stringify([{ room_id: "!a:example.org", session_key: "ü".repeat(300) }]);

test("what is written is read again, and is not to be read without its passphrase", async () => {
  const file = await writeKeyFile(KEYS, "correct horse", 1_000);
  expect(file).toMatch(
    /^-----BEGIN MEGOLM SESSION DATA-----\n[\w+/=\n]+\n-----END MEGOLM SESSION DATA-----\n$/,
  );
  expect(await readKeyFile(file, "correct horse")).toBe(KEYS);
  await expect(readKeyFile(file, "battery staple")).rejects.toMatchObject({ wrong: "passphrase" });
});

test("what other programs wrap around it does not matter", async () => {
  const file = await writeKeyFile(KEYS, "x", 10);
  expect(await readKeyFile(`Keys\r\n${file.replaceAll("\n", "\r\n")}bye`, "x")).toBe(KEYS);
});

test("a file that is none is told apart from a wrong passphrase", async () => {
  const file = await writeKeyFile(KEYS, "x", 10);
  for (const broken of ["", "hello", file.replace("BEGIN", "BEGAN"), file.replace(/\n[\w+/]/, "\n*")])
    await expect(readKeyFile(broken, "x")).rejects.toSatisfy(
      (error: unknown) => error instanceof KeyFileError && error.wrong === "file",
    );
});

test("a file that was changed is not opened", async () => {
  const file = await writeKeyFile(KEYS, "x", 10);
  const at = file.length - 200;
  const changed = file.slice(0, at) + (file[at] === "A" ? "B" : "A") + file.slice(at + 1);
  await expect(readKeyFile(changed, "x")).rejects.toMatchObject({ wrong: "passphrase" });
});
