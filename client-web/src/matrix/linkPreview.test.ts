import { expect, test } from "vitest";

import { firstLink, readPreview } from "./linkPreview";

test("the first address that leads to a page is taken, and none in code", () => {
  expect(firstLink("see https://example.org/a, please")).toBe("https://example.org/a");
  expect(firstLink("(https://example.org/a_(b))")).toBe("https://example.org/a_(b)");
  expect(firstLink("`https://example.org` and ```\nhttps://example.org\n```")).toBeNull();
  expect(firstLink("https://matrix.to/#/@ben:example.org then http://other.example")).toBe(
    "http://other.example/",
  );
  expect(firstLink(`${location.origin}/chat https://`)).toBeNull();
  expect(firstLink("ftp://example.org")).toBeNull();
});

test("what the server says is read, and nothing is nothing", () => {
  expect(
    readPreview({
      "og:title": " Tea ",
      "og:description": "Hot",
      "og:image": "mxc://a/b",
      "og:site_name": "Shop",
    }),
  ).toEqual({ title: "Tea", text: "Hot", site: "Shop", image: "mxc://a/b" });
  expect(readPreview({ "og:title": "x", "og:image": "https://elsewhere/x.png" })?.image).toBeNull();
  expect(readPreview({})).toBeNull();
  expect(readPreview(null)).toBeNull();
});
