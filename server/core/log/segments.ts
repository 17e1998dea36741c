interface Segment {
  readonly number: number;
  /** Where its records end. */
  bytes: number;
  /** Bytes of entries that some unit still holds. */
  liveBytes: number;
}

/** Which segments make up the log, oldest first, and how much of each is still needed. */
export class Segments {
  readonly #list: Segment[] = [];
  readonly #byNumber = new Map<number, Segment>();
  #bytes = 0;
  #liveBytes = 0;

  /** Of all segments, what nobody needs too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** 0 if there is none. */
  get oldest(): number {
    return this.#list[0]?.number ?? 0;
  }

  /** Larger than what is needed of it twice, and so much more. */
  crowded(slackBytes: number): boolean {
    return this.#bytes > 2 * this.#liveBytes + slackBytes;
  }

  begin(number: number): void {
    const segment = { number, bytes: 0, liveBytes: 0 };
    this.#list.push(segment);
    this.#byNumber.set(number, segment);
  }

  /** The records of the newest now end at `offset`. */
  grow(offset: number): void {
    const newest = this.#list.at(-1)!;
    this.#bytes += offset - newest.bytes;
    newest.bytes = offset;
  }

  /** An entry lies there. */
  use(number: number, bytes: number): void {
    this.#byNumber.get(number)!.liveBytes += bytes;
    this.#liveBytes += bytes;
  }

  free(number: number, bytes: number): void {
    this.use(number, -bytes);
  }

  /** It, and perhaps more. */
  get oldestIsDead(): boolean {
    return this.dead().length > 0;
  }

  /**
   * Oldest segments that nobody needs; never the newest. Once what made them so is durable they may go: nothing
   * new is ever written into them, and how the units stand is noted again at the start of the next segment.
   */
  dead(): number[] {
    const needed = this.#list.findIndex(({ liveBytes }) => liveBytes > 0);
    const end = needed < 0 ? Math.max(0, this.#list.length - 1) : needed;
    return this.#list.slice(0, end).map(({ number }) => number);
  }

  /** The oldest one goes. */
  drop(number: number): void {
    const segment = this.#list.shift();
    if (segment?.number !== number || segment.liveBytes !== 0) {
      throw new Error(`log: segment ${number} is not the oldest, or still needed`);
    }
    this.#byNumber.delete(number);
    this.#bytes -= segment.bytes;
  }
}
