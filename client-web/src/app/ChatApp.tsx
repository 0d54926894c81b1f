import { useEffect } from "react";

import { useAccountData } from "../matrix/accountData";
import { MatrixProvider } from "../matrix/MatrixProvider";
import type { Session } from "../matrix/session";
import { PREFERENCES, SETTINGS } from "../preferences/preferences";
import { preferences } from "../preferences/store";
import { Frame } from "./shell/Frame";
import { Shell } from "./shell/Shell";

export { begin } from "../matrix/running";

interface Props {
  session: Session;
  onLoggedOut: (why?: "ended") => void;
}

/** The chat of somebody who is logged in. */
export function ChatApp({ session, onLoggedOut }: Props) {
  return (
    <MatrixProvider session={session} onLoggedOut={onLoggedOut} waiting={<Frame />}>
      <PreferencesFromAccount />
      <Shell onLoggedOut={onLoggedOut} />
    </MatrixProvider>
  );
}

/** Brings what the account and the organisation say about preferences to the page. */
function PreferencesFromAccount() {
  const chosen = useAccountData(PREFERENCES);
  const decided = useAccountData(SETTINGS);
  useEffect(() => {
    if (chosen) preferences.arrived(chosen);
  }, [chosen]);
  useEffect(() => {
    if (decided) preferences.decided(decided);
  }, [decided]);
  return null;
}
