import { register, type RegistrationChallenge, type Session, SessionError } from "../../matrix/session";

const DUMMY = "m.login.dummy";
const TOKEN = "m.login.registration_token";

/** Somebody who wants an account. */
export interface Wish {
  user: string;
  password: string;
  deviceName: string;
  /** The registration code, once the server has asked for it. */
  code?: string;
}

/** The server wants a registration code before it goes on. */
export class CodeWanted extends Error {}

/** Goes through the stages the server asks for. */
export async function makeAccount(wish: Wish): Promise<Session> {
  let answer = await register(location.origin, wish);
  // Each round does one stage; no flow has more than a handful.
  for (let round = 0; round < 5 && "challenge" in answer; round += 1) {
    answer = await register(location.origin, wish, stageOf(answer.challenge, wish.code));
  }
  if ("challenge" in answer) throw new SessionError("M_UNKNOWN", "too many stages", 401);
  return answer.session;
}

function stageOf(challenge: RegistrationChallenge, code: string | undefined) {
  const open = challenge.flows.map((flow) =>
    flow.stages.filter((stage) => !challenge.completed.includes(stage)),
  );
  const possible = open.find((stages) => stages.every((stage) => stage === DUMMY || stage === TOKEN));
  const next = possible?.[0];
  if (!next) throw new SessionError("UNSUPPORTED", open[0]?.[0] ?? "", 401);
  if (next === DUMMY) return { session: challenge.session, type: DUMMY };
  if (!code) throw new CodeWanted();
  return { session: challenge.session, type: TOKEN, token: code };
}
