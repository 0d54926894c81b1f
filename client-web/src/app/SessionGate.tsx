import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import { restoreSession, type Session } from "../matrix/session";
import { Frame } from "./shell/Frame";

const chat = () => import("./ChatApp").then((part) => ({ default: part.ChatApp }));
const login = () => import("../features/login/LoginPage").then((part) => ({ default: part.LoginPage }));
const ChatApp = lazy(chat);
const LoginPage = lazy(login);

/** Asked for while the rest of the first script is still running. */
const restored = restoreSession().catch(() => null);
void restored.then<unknown>((session) => (session ? chat() : login()));

/** Whether this page was opened with a token of the management system, which then decides who is here. */
const handedOver = () => location.hash.startsWith("#token=");

/** The chat for who is logged in, else the login page, at the same address. */
export function SessionGate() {
  const [session, setSession] = useState<Session | null>();
  useEffect(() => {
    void restored.then((found) => {
      setSession(handedOver() ? null : found);
    });
  }, []);
  const onLoggedOut = useCallback(() => {
    setSession(null);
  }, []);

  if (session === undefined) return <Frame />;
  return (
    <Suspense fallback={session ? <Frame /> : null}>
      {session ? (
        <ChatApp session={session} onLoggedOut={onLoggedOut} />
      ) : (
        <LoginPage onLoggedIn={setSession} />
      )}
    </Suspense>
  );
}
