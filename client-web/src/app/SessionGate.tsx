import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import { twice } from "../components/twice";
import { isSoft, onBegunElsewhere, restoreSession, sameDevice, type Session } from "../matrix/session";
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
  const session = here?.session ?? null;
  const onLoggedOut = useCallback(
    (why?: "ended") => {
      void restoreSession().then((kept) => {
        // A session that took this one's place is this browser's now.
        const next = kept && !isSoft(kept) && !(session && sameDevice(kept, session)) ? kept : null;
        setHere({ session: next, ended: why === "ended" });
      });
    },
    [session],
  );
  useEffect(
    () =>
      onBegunElsewhere(() => {
        void restoreSession().then((kept) => {
          if (kept && !isSoft(kept)) setHere((now) => (now?.session === null ? { session: kept } : now));
        });
      }),
    [],
  );

  if (!here) return <Frame />;
  const { Chat = ChatApp, Login = LoginPage, ended = false } = here;
  return session ? (
    <Suspense fallback={<Frame />}>
      <Chat key={session.deviceId} session={session} onLoggedOut={onLoggedOut} />
    </Suspense>
  ) : (
    <Suspense fallback={null}>
      <Login onLoggedIn={onLoggedIn} ended={ended} />
    </Suspense>
  );
}
