// Who is here, looked for before anything else of the program runs: while the browser reads that, the rest of the first script does.

import type { LoginPage } from "../features/login/LoginPage";
import { isSoft, mayBeHere, restoreSession, type Session } from "../matrix/session";
import type { ChatApp } from "./ChatApp";

/** Who is here, and the part that draws what they see, if it is loaded already. */
export interface Here {
  readonly session: Session | null;
  /** Whether the server ended the session that was here. */
  readonly ended?: boolean;
  readonly Chat?: typeof ChatApp;
  readonly Login?: typeof LoginPage;
}

/** The part for who is logged in. */
export const chat = () => import("./ChatApp");
/** The part for who is not. */
export const login = () => import("../features/login/LoginPage");

/** With the rooms of the last visit: nothing is drawn twice. */
export const restored = restore().catch((): Here => ({ session: null }));
let here: Here | undefined;
void restored.then((found) => {
  here = found;
});

/** The same, if it is known by now. */
export const known = (): Here | undefined => here;

async function restore(): Promise<Here> {
  const reading = restoreSession();
  // Who was here most probably still is: the part that is needed then is asked for before the session is read.
  void (mayBeHere() ? chat() : login()).catch(() => undefined);
  const session = await reading;
  // What does not load is tried once more where it is shown, and told there if it fails again.
  if (!session || isSoft(session) || handedOver()) {
    const loaded = await login().catch(() => undefined);
    return { session: null, ...(loaded && { Login: loaded.LoginPage }) };
  }
  try {
    const { ChatApp: Chat, begin } = await chat();
    await begin(session);
    return { session, Chat };
  } catch {
    return { session };
  }
}

// A page that is open already is handed somebody as well: browsers do not load it again for what stands behind the sign.
addEventListener("hashchange", () => {
  if (handedOver()) location.reload();
});

/** Whether this page was opened with a token of the management system, which then decides who is here. */
function handedOver(): boolean {
  return location.hash.startsWith("#token=");
}
