/** The units that have something to do. The others cost a turn nothing, however many they are. */
export class WorkList {
  readonly #isMarked: Uint8Array;
  #marked: number[] = [];

  /** Units 0 to `units`. */
  constructor(units: number) {
    this.#isMarked = new Uint8Array(units + 1);
  }

  get isEmpty(): boolean {
    return this.#marked.length === 0;
  }

  mark(unit: number): void {
    if (this.#isMarked[unit] === 1) return;
    this.#isMarked[unit] = 1;
    this.#marked.push(unit);
  }

  /** Ascending: in which order they were marked decides nothing. What is marked from now on is for the next call. */
  take(): readonly number[] {
    const taken = this.#marked;
    this.#marked = [];
    for (const unit of taken) this.#isMarked[unit] = 0;
    return taken.sort((a, b) => a - b);
  }
}
