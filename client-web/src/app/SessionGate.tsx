import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import { twice } from "../components/twice";
import type { Session } from "../matrix/session";
import { chat, known, login, restored } from "./restored";
import { Frame } from "./shell/Frame";

const ChatApp = lazy(() => twice(() => chat().then(({ ChatApp }) => ({ default: ChatApp }))));
const LoginPage = lazy(() => twice(() => login().then(({ LoginPage }) => ({ default: LoginPage }))));

/** The chat for who is logged in, else the login page, at the same address. */
export function SessionGate() {
  const [here, setHere] = useState(known);
  useEffect(() => {
    // Also where it is known by now: it may have become so since this was drawn, and nobody would tell again.
    void restored.then(setHere);
  }, []);
  const onLoggedIn = useCallback((session: Session) => {
    setHere({ session });
  }, []);
  const onLoggedOut = useCallback(() => {
    setHere({ session: null });
  }, []);

  if (!here) return <Frame />;
  const { session, Chat = ChatApp, Login = LoginPage } = here;
  return session ? (
    <Suspense fallback={<Frame />}>
      <Chat session={session} onLoggedOut={onLoggedOut} />
    </Suspense>
  ) : (
    <Suspense fallback={null}>
      <Login onLoggedIn={onLoggedIn} />
    </Suspense>
  );
}
