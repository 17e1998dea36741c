/** A rate over less says more about one pause than about the service. */
export const WINDOW_MS_MIN = 5_000;

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface WindowRate extends Interval {
  readonly answered: number;
  /** Undefined when the window is shorter than `WINDOW_MS_MIN`. */
  readonly perSecond: number | undefined;
}

/** Every answer is in exactly one of the three; one at a border is in the later. */
export interface AnswerSummary {
  /** From the first row sent to the interval. */
  readonly before: WindowRate;
  /** The interval, widened at its end to `WINDOW_MS_MIN` if it is shorter. */
  readonly during: WindowRate;
  /** From there to the end of the run. */
  readonly after: WindowRate;
}

/** Counts rows sent and answered over one clock, whose readings never go down. */
export class AnswerLog {
  readonly #answerMs: number[] = [];
  readonly #answerCounts: number[] = [];
  #firstSentMs: number | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #outstanding = 0;
  /** While rows are outstanding: the last answer, or the sending that ended an idle time. */
  #waitingSinceMs = 0;
  #longestGap: Interval = { fromMs: 0, toMs: 0 };

  sent(nowMs: number, count: number): void {
    this.#advance(nowMs, count);
    this.#firstSentMs ??= nowMs;
    if (this.#outstanding === 0) this.#waitingSinceMs = nowMs;
    this.#outstanding += count;
  }

  answered(nowMs: number, count: number): void {
    if (count > this.#outstanding) {
      throw new RangeError(`${count} rows answered of ${this.#outstanding} outstanding`);
    }
    this.#advance(nowMs, count);
    this.#longestGap = this.#gapUntil(nowMs);
    this.#answerMs.push(nowMs);
    this.#answerCounts.push(count);
    this.#outstanding -= count;
    this.#waitingSinceMs = nowMs;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /**
   * The longest time in which no answer came though rows were outstanding, up to `endMs`: a run that
   * ends in silence counts that silence too. Time with nothing outstanding is no gap.
   */
  longestGap(endMs: number): Interval {
    return this.#outstanding === 0 ? this.#longestGap : this.#gapUntil(endMs);
  }

  summary(interval: Interval, endMs: number): AnswerSummary {
    if (!(interval.fromMs <= interval.toMs)) {
      throw new RangeError(`an interval from ${interval.fromMs} to ${interval.toMs} ms ends early`);
    }
    if (!(endMs >= this.#lastMs)) {
      throw new RangeError(
        `the run's end, ${endMs} ms, is before its last event, ${this.#lastMs} ms`,
      );
    }
    const startMs = Math.min(this.#firstSentMs ?? interval.fromMs, interval.fromMs);
    const duringEndMs = Math.max(interval.toMs, interval.fromMs + WINDOW_MS_MIN);
    const answeredBefore = this.#answeredUntil(interval.fromMs);
    const answeredUntilAfter = this.#answeredUntil(duringEndMs);
    const answeredAll = this.#answeredUntil(Number.POSITIVE_INFINITY);
    const splitMs = Math.min(duringEndMs, endMs);
    return {
      before: rate(startMs, interval.fromMs, answeredBefore),
      during: rate(interval.fromMs, splitMs, answeredUntilAfter - answeredBefore),
      after: rate(splitMs, endMs, answeredAll - answeredUntilAfter),
    };
  }

  #answeredUntil(endMs: number): number {
    let answered = 0;
    for (let i = 0; i < this.#answerMs.length && this.#answerMs[i]! < endMs; i += 1) {
      answered += this.#answerCounts[i]!;
    }
    return answered;
  }

  #gapUntil(nowMs: number): Interval {
    const longestMs = this.#longestGap.toMs - this.#longestGap.fromMs;
    const isLonger = nowMs - this.#waitingSinceMs > longestMs;
    return isLonger ? { fromMs: this.#waitingSinceMs, toMs: nowMs } : this.#longestGap;
  }

  #advance(nowMs: number, count: number): void {
    if (!(nowMs >= this.#lastMs)) {
      throw new RangeError(`time went back from ${this.#lastMs} to ${nowMs} ms`);
    }
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`not a count of rows: ${count}`);
    }
    this.#lastMs = nowMs;
  }
}

function rate(fromMs: number, toMs: number, answered: number): WindowRate {
  const lengthMs = toMs - fromMs;
  const perSecond = lengthMs < WINDOW_MS_MIN ? undefined : (answered * 1_000) / lengthMs;
  return { fromMs, toMs, answered, perSecond };
}
