/**
 * One timer for the earliest of many due times. It is never early. A process without other work wakes about 1.1 ms
 * after arming for a delay of 0.5 ms (Node's timers count whole milliseconds), and within 0.2 ms after one of 8 ms;
 * a busy one releases what is due at the end of each turn, mostly sooner than the timer. Waiting more exactly
 * would burn the core that the servers of one machine share.
 */
export class DueTimer {
  readonly #nowMs: () => number;
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;
  #armedForMs = Number.POSITIVE_INFINITY;

  constructor(nowMs: () => number, onDue: () => void) {
    this.#nowMs = nowMs;
    this.#onDue = onDue;
  }

  /** `onDue` is to be called at `dueMs`, or before; what it was armed for earlier holds too. */
  arm(dueMs: number): void {
    if (dueMs >= this.#armedForMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#armedForMs = dueMs;
    const waitMs = Math.max(1, Math.ceil(dueMs - this.#nowMs()));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#armedForMs = Number.POSITIVE_INFINITY;
      this.#onDue();
    }, waitMs);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
