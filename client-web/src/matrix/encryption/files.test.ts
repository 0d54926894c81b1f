// @vitest-environment node

import { expect, test } from "vitest";

import { readSealed, remember, seal, sealedAt, unseal } from "./files";

const picture = () => new Blob(["a picture, says its sender"], { type: "image/png" });

test("a sealed file says nothing of what is in it, and opens with what the message tells", async () => {
  const { sealed, tell } = await seal(picture());
  expect(sealed.type).toBe("application/octet-stream");
  expect(await sealed.text()).not.toContain("picture");
  const file = tell("mxc://example.org/sealed");
  expect(remember(file, "image/png")).toBe(true);
  const known = sealedAt("mxc://example.org/sealed");
  const opened = await unseal(sealed, known!);
  expect(await opened.text()).toBe("a picture, says its sender");
  expect(opened.type).toBe("image/png");
});

test("each file has a key of its own", async () => {
  const [one, other] = [await seal(picture()), await seal(picture())];
  expect(one.tell("mxc://a/b").key.k).not.toBe(other.tell("mxc://a/b").key.k);
  expect(await one.sealed.text()).not.toBe(await other.sealed.text());
});

test("a file that was changed on its way is not opened", async () => {
  const { sealed, tell } = await seal(picture());
  const bytes = new Uint8Array(await sealed.arrayBuffer());
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  const known = { file: tell("mxc://example.org/x"), type: "image/png", thumbnail: null };
  await expect(unseal(new Blob([bytes]), known)).rejects.toThrow(/changed/);
});

test("what is not whole is not taken for a sealed file", async () => {
  const file = (await seal(picture())).tell("mxc://example.org/y");
  expect(readSealed(file)).toEqual(file);
  for (const broken of [
    null,
    "mxc://a/b",
    { ...file, v: "v1" },
    { ...file, hashes: {} },
    { ...file, key: {} },
  ])
    expect(readSealed(broken)).toBeNull();
  expect(sealedAt("mxc://example.org/y")).toBeNull();
});
