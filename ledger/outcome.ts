/** No account. */
export const NO_ACCOUNT = -1;

/** What an event's result says besides its status. One a machine, reset for every event. */
export class Outcome {
  /** As signed integers, see EventTime. */
  timestampLo = 0;
  timestampHi = 0;
  /** The other unit and the sequence of a crossing step; else 0. */
  unit = 0;
  sequence = 0;
  /** Accounts whose balances the result may show. */
  debit = NO_ACCOUNT;
  credit = NO_ACCOUNT;

  reset(timestampLo: number, timestampHi: number): void {
    this.timestampLo = timestampLo | 0;
    this.timestampHi = timestampHi | 0;
    this.unit = 0;
    this.sequence = 0;
    this.debit = NO_ACCOUNT;
    this.credit = NO_ACCOUNT;
  }

  /** The timestamp that stands at `at`, in place of the event's own. */
  takeTimestamp(words: Uint32Array, at: number): void {
    this.timestampLo = words[at]! | 0;
    this.timestampHi = words[at + 1]! | 0;
  }

  crossing(unit: number, sequence: number): void {
    this.unit = unit;
    this.sequence = sequence;
  }
}
