import { fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter, useLocation, useNavigate } from "react-router";
import { expect, test } from "vitest";

import { useDialogs } from "./useDialogs";
import { readPanel, usePanel, writePanel, type Panel } from "./usePanel";

const thread: Panel = { what: "thread", threadId: "$root" };

function Room() {
  const { panel, show, close } = usePanel();
  const dialogs = useDialogs();
  const navigate = useNavigate();
  const { search } = useLocation();
  return (
    <>
      <output>{`${panel ? writePanel(panel) : "nothing"}, ${dialogs.open ?? "no dialog"}`}</output>
      <p>{search}</p>
      <button onClick={() => show(thread)}>thread</button>
      <button onClick={() => show({ what: "members" })}>members</button>
      <button onClick={close}>close</button>
      <button onClick={() => dialogs.show("settings")}>settings</button>
      <button onClick={dialogs.close}>close settings</button>
      <button onClick={() => void navigate(-1)}>back</button>
    </>
  );
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const shown = () => screen.getByRole("status").textContent;

test("what stands beside a conversation is in the address: going back closes it, a dialog above leaves it open", () => {
  render(
    <MemoryRouter initialEntries={["/chat"]}>
      <Room />
    </MemoryRouter>,
  );
  press("members");
  press("thread");
  expect(shown()).toBe("thread $root, no dialog");
  press("settings");
  expect(shown()).toBe("thread $root, settings");
  press("close settings");
  expect(shown()).toBe("thread $root, no dialog");
  press("back");
  press("back");
  expect(shown()).toBe("nothing, no dialog");
  press("thread");
  press("close");
  expect(shown()).toBe("nothing, no dialog");
});

test("every panel is read as it was written, and nothing else", () => {
  const panels: Panel[] = [
    { what: "members" },
    { what: "threads" },
    thread,
    { what: "thread", threadId: "$root", at: "$reply" },
    { what: "person", userId: "@ada:example.org", fromMembers: false },
    { what: "person", userId: "@ada:example.org", fromMembers: true },
  ];
  expect(panels.map((panel) => readPanel(writePanel(panel)))).toEqual(panels);
  expect([null, "", "kitchen", "thread", "thread root", "person ada"].map(readPanel)).toEqual(
    Array(6).fill(null),
  );
});
