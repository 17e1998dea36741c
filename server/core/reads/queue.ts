import { READ_TURN_MS } from '../limits.ts';

/**
 * Reads that may be answered. Many large ones take turns with all else, or a leader would fall silent over them.
 * One that waits sees a later state: that is as linearizable.
 */
export class ReadQueue<Read> {
  readonly #nowMs: () => number;
  readonly #answer: (read: Read) => void;
  /** Asks for another turn. */
  readonly #wake: () => void;
  #waiting: Read[] = [];

  constructor(nowMs: () => number, answer: (read: Read) => void, wake: () => void) {
    this.#nowMs = nowMs;
    this.#answer = answer;
    this.#wake = wake;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(reads: readonly Read[]): void {
    this.#waiting.push(...reads);
    this.run();
  }

  /** Answers until the time for it is used up. Called once a turn. */
  run(): void {
    if (this.#waiting.length === 0) return;
    const untilMs = this.#nowMs() + READ_TURN_MS;
    let answered = 0;
    do {
      this.#answer(this.#waiting[answered]!);
      answered += 1;
    } while (answered < this.#waiting.length && this.#nowMs() < untilMs);
    this.#waiting = this.#waiting.slice(answered);
    if (this.#waiting.length > 0) this.#wake();
  }
}
