import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import { twice } from "../components/twice";
import { isSoft, mayBeHere, restoreSession, type Session } from "../matrix/session";
import type { ChatApp as ChatPart } from "./ChatApp";
import { Frame } from "./shell/Frame";

const part = () => import("./ChatApp");
const chat = () => part().then(({ ChatApp }) => ({ default: ChatApp }));
const login = () => import("../features/login/LoginPage").then((part) => ({ default: part.LoginPage }));
const ChatApp = lazy(() => twice(chat));
const LoginPage = lazy(() => twice(login));

type Chat = typeof ChatPart;

/** Who is here, and the part that draws their chat if it is loaded already. */
interface Here {
  readonly session: Session | null;
  readonly Chat: Chat | null;
}

// Who was here most probably still is: the part that is needed then is asked for before the session is read.
if (mayBeHere()) void part().catch(() => undefined);

/** Asked for while the rest of the first script is still running. With the rooms of the last visit: nothing is drawn twice. */
export const restored = restore().catch((): Here => ({ session: null, Chat: null }));
let known: Here | undefined;
void restored.then((here) => {
  known = here;
});

async function restore(): Promise<Here> {
  const session = await restoreSession();
  if (!session || isSoft(session) || handedOver()) {
    void login().catch(() => undefined);
    return { session: null, Chat: null };
  }
  try {
    const { ChatApp: Chat, begin } = await part();
    await begin(session);
    return { session, Chat };
  } catch {
    // Tried once more where it is shown, and told there if it fails again.
    return { session, Chat: null };
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
    if (!known) void restored.then(setHere);
  }, []);
  const onLoggedIn = useCallback((session: Session) => {
    setHere({ session, Chat: null });
  }, []);
  const onLoggedOut = useCallback(() => {
    setHere({ session: null, Chat: null });
  }, []);

  if (!here) return <Frame />;
  const { session, Chat } = here;
  if (!session)
    return (
      <Suspense fallback={null}>
        <LoginPage onLoggedIn={onLoggedIn} />
      </Suspense>
    );
  const Shown = Chat ?? ChatApp;
  return (
    <Suspense fallback={<Frame />}>
      <Shown session={session} onLoggedOut={onLoggedOut} />
    </Suspense>
  );
}
