import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import { twice } from "../components/twice";
import { isSoft, mayBeHere, restoreSession, type Session } from "../matrix/session";
import type { LoginPage as LoginPart } from "../features/login/LoginPage";
import type { ChatApp as ChatPart } from "./ChatApp";
import { Frame } from "./shell/Frame";

const part = () => import("./ChatApp");
const login = () => import("../features/login/LoginPage");
const ChatApp = lazy(() => twice(() => part().then(({ ChatApp }) => ({ default: ChatApp }))));
const LoginPage = lazy(() => twice(() => login().then(({ LoginPage }) => ({ default: LoginPage }))));

/** Who is here, and the part that draws what they see, if it is loaded already. */
interface Here {
  readonly session: Session | null;
  readonly Chat?: typeof ChatPart;
  readonly Login?: typeof LoginPart;
}

// Who was here most probably still is: the part that is needed then is asked for before the session is read.
void (mayBeHere() ? part() : login()).catch(() => undefined);

/** Asked for while the rest of the first script is still running. With the rooms of the last visit: nothing is drawn twice. */
export const restored = restore().catch((): Here => ({ session: null }));
let known: Here | undefined;
void restored.then((here) => {
  known = here;
});

async function restore(): Promise<Here> {
  const session = await restoreSession();
  // What does not load is tried once more where it is shown, and told there if it fails again.
  if (!session || isSoft(session) || handedOver()) {
    const loaded = await login().catch(() => undefined);
    return { session: null, ...(loaded && { Login: loaded.LoginPage }) };
  }
  try {
    const { ChatApp: Chat, begin } = await part();
    await begin(session);
    return { session, Chat };
  } catch {
    return { session };
  }
}

/** Whether this page was opened with a token of the management system, which then decides who is here. */
function handedOver(): boolean {
  return location.hash.startsWith("#token=");
}

/** The chat for who is logged in, else the login page, at the same address. */
export function SessionGate() {
  const [here, setHere] = useState(() => known);
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
