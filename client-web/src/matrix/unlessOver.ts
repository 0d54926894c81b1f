/**
 * For effects: tells what comes of something that was asked for, unless the effect is over by then. Returns what ends it. A failure
 * that nobody wants to hear of is none.
 */
export function unlessOver<Answer>(
  asked: Promise<Answer>,
  tell: (answer: Answer) => void,
  refuse: (error: unknown) => void = () => undefined,
): () => void {
  let over = false;
  asked.then(
    (answer) => {
      if (!over) tell(answer);
    },
    (error: unknown) => {
      if (!over) refuse(error);
    },
  );
  return () => {
    over = true;
  };
}
