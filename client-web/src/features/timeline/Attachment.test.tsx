import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

vi.mock("../../matrix/media", () => ({ useMedia: () => ({ url: "blob:here", failed: false }) }));

import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { World } from "../../testing/world";
import { Picture, Player, reserved } from "./Attachment";

const media = {
  url: "mxc://a/b",
  name: "holiday.png",
  type: "image/png",
  size: 9,
  width: null,
  height: null,
};

test("a picture or film that turns out to be none is shown as a file", () => {
  show(
    <ClientProvider client={new World().client}>
      <Picture media={media} />
      <Player kind="video" media={{ ...media, name: "holiday.mp4" }} />
    </ClientProvider>,
  );
  fireEvent.error(screen.getByRole("img"));
  expect(screen.getByRole("button", { name: "Download holiday.png" })).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Play holiday.mp4" }));
  fireEvent.error(document.querySelector("video")!);
  expect(screen.getByRole("button", { name: "Download holiday.mp4" })).toBeTruthy();
});

test("whatever is said of its size, a picture takes no more room than there is", () => {
  expect(reserved({ ...media, width: 99_999_999, height: 1 })).toEqual({ width: 380, height: 32 });
  expect(reserved({ ...media, width: 1, height: 99_999_999 })).toEqual({ width: 48, height: 300 });
});
