import { createEvent, fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { keepPage } from "../../app/shell/keepPage";
import { useDrop } from "./useDrop";

const item = (name: string, isDirectory = false) => ({
  kind: "file",
  getAsFile: () => new File(["x"], name),
  webkitGetAsEntry: () => ({ isDirectory }),
});

function Place({ onDrop }: { onDrop: (names: string[], folders: boolean) => void }) {
  const { zone, dragging } = useDrop((files, folders) =>
    onDrop(
      files.map(({ name }) => name),
      folders,
    ),
  );
  return <div ref={zone}>{dragging ? "drop it" : "write"}</div>;
}

/** Whether the page took it, instead of the browser. */
function taken(type: "dragOver" | "drop", target: Element, dataTransfer: object): boolean {
  const event = createEvent[type](target, { dataTransfer });
  fireEvent(target, event);
  return event.defaultPrevented;
}

test("files are taken wherever they are dropped on the conversation; folders are told, texts are left alone", () => {
  const dropped = vi.fn();
  render(
    <main data-drop>
      <p>messages</p>
      <Place onDrop={dropped} />
    </main>,
  );
  const messages = screen.getByText("messages");
  expect(taken("dragOver", messages, { types: ["text/plain"] })).toBe(false);
  const files = { types: ["Files"], items: [item("a.txt"), item("holidays", true)] };
  expect(taken("dragOver", messages, files)).toBe(true);
  expect(screen.getByText("drop it")).toBeTruthy();
  expect(taken("drop", messages, files)).toBe(true);
  expect(screen.getByText("write")).toBeTruthy();
  expect(dropped.mock.calls).toEqual([[["a.txt"], true]]);
});

test("a file that is dropped elsewhere is not shown instead of the page", () => {
  render(<nav>rooms</nav>);
  const stop = keepPage();
  const rooms = screen.getByText("rooms");
  const data = { types: ["Files"], items: [], dropEffect: "copy" };
  expect(taken("dragOver", rooms, data)).toBe(true);
  expect(taken("drop", rooms, data)).toBe(true);
  expect(data.dropEffect).toBe("none");
  expect(taken("drop", rooms, { types: ["text/plain"] })).toBe(false);
  stop();
});
