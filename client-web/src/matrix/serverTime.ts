// The server's clock, learned from the Date header of its answers: windows for editing are by the server's time, whatever the
// clock of this machine says.

let offset = 0;
let bestRoundTrip = Number.POSITIVE_INFINITY;

/** Learns from an answer: when it was asked, when it came, and the Date header it carried. */
export function learnServerTime(asked: number, answered: number, date: string | null): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return;
  const roundTrip = answered - asked;
  const measured = told + 500 - (asked + answered) / 2;
  // A long poll says little about the way; a clock that was set meanwhile must still be noticed.
  if (roundTrip > 2_000) return;
  if (roundTrip <= bestRoundTrip + 20 || Math.abs(measured - offset) > 2_000) {
    offset = measured;
    bestRoundTrip = roundTrip;
  }
}

/** Now, by the server's clock, in milliseconds. */
export function serverNow(): number {
  return Date.now() + offset;
}
