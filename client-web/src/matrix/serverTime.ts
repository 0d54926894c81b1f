// The server's clock, learned from the Date header of its answers: windows for editing are by the server's time, whatever the
// clock of this machine says.

// The header tells whole seconds: each answer says between which values the difference of the clocks lies, and all together say it well.
let least = Number.NEGATIVE_INFINITY;
let most = Number.POSITIVE_INFINITY;

/** Learns from an answer: when it was asked, when it came, and the Date header it carried. */
export function learnServerTime(asked: number, answered: number, date: string | null): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return;
  const from = told - answered;
  const to = told + 1_000 - asked;
  if (from <= most && to >= least) {
    least = Math.max(least, from);
    most = Math.min(most, to);
  } else {
    // One of the clocks was set.
    least = from;
    most = to;
  }
}

/** Now, by the server's clock, in milliseconds. */
export function serverNow(): number {
  return Date.now() + (Number.isFinite(least) ? (least + most) / 2 : 0);
}
