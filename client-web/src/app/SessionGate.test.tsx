import { useLayoutEffect } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";

import type { Session } from "../matrix/session";

const session = vi.hoisted(() => {
  let fail: (reason: Error) => void = () => undefined;
  const read: Promise<unknown> = new Promise((_, failed) => {
    fail = failed;
  });
  return { read, fail: (reason: Error) => fail(reason), begun: (): void => undefined };
});

vi.mock("../matrix/session", () => ({
  isSoft: () => false,
  mayBeHere: () => true,
  restoreSession: () => session.read,
  sameDevice: (one: Session, other: Session) => one.deviceId === other.deviceId,
  onBegunElsewhere: (begun: () => void) => {
    session.begun = begun;
    return () => undefined;
  },
}));
vi.mock("./ChatApp", () => ({
  ChatApp: ({ session, onLoggedOut }: { session: Session; onLoggedOut: (why?: "ended") => void }) => (
    <button onClick={() => onLoggedOut("ended")}>the chat of {session.userId}</button>
  ),
  begin: () => Promise.resolve(),
}));
vi.mock("./shell/Frame", () => ({ Frame: () => <p>waiting</p> }));
vi.mock("../features/login/LoginPage", () => ({
  LoginPage: ({ ended }: { ended?: boolean }) => <p>the login page{ended && ", it was ended"}</p>,
}));

import { SessionGate } from "./SessionGate";

/** Makes it known who is here after the gate was drawn, and before its effects have run. */
function Between() {
  useLayoutEffect(() => session.fail(new Error("the vault does not open")), []);
  return <SessionGate />;
}

test("what becomes known while the first picture is being drawn is shown, and what other tabs make of it later", async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  root.render(<Between />);
  const shows = (text: string) => vi.waitFor(() => expect(place.textContent).toBe(text));
  await shows("the login page");

  // Somebody logs in in another tab: this one comes along.
  const device = (userId: string) => ({
    baseUrl: "",
    userId,
    deviceId: userId.toUpperCase(),
    accessToken: "a",
  });
  session.read = Promise.resolve(device("ada"));
  session.begun();
  await shows("the chat of ada");
  // Somebody else is handed over in another tab, which ends this session: the browser is theirs.
  session.read = Promise.resolve(device("ben"));
  place.querySelector("button")!.click();
  await shows("the chat of ben");
  // The server ends that one.
  place.querySelector("button")!.click();
  await shows("the login page, it was ended");
  root.unmount();
});
