import { useLayoutEffect } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";

const session = vi.hoisted(() => {
  let fail: (reason: Error) => void = () => undefined;
  const read = new Promise<never>((_, failed) => {
    fail = failed;
  });
  return { read, fail: (reason: Error) => fail(reason) };
});

vi.mock("../matrix/session", () => ({
  isSoft: () => false,
  mayBeHere: () => true,
  restoreSession: () => session.read,
}));
vi.mock("./ChatApp", () => ({ ChatApp: () => null, begin: () => Promise.resolve() }));
vi.mock("./shell/Frame", () => ({ Frame: () => <p>waiting</p> }));
vi.mock("../features/login/LoginPage", () => ({ LoginPage: () => <p>the login page</p> }));

import { SessionGate } from "./SessionGate";

/** Makes it known who is here after the gate was drawn, and before its effects have run. */
function Between() {
  useLayoutEffect(() => session.fail(new Error("the vault does not open")), []);
  return <SessionGate />;
}

test("what becomes known while the first picture is being drawn is shown", async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  root.render(<Between />);
  await vi.waitFor(() => expect(place.textContent).toBe("the login page"));
  root.unmount();
});
