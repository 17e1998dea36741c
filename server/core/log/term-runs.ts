/** The term of each index, kept as runs: a unit has few terms and many entries. */
export class TermRuns {
  /** Index at which each run starts, ascending. */
  readonly #starts: number[] = [];
  readonly #terms: number[] = [];

  /** The entry at `index`, which follows all others. */
  push(index: number, term: number): void {
    if (this.#terms.at(-1) === term) return;
    this.#starts.push(index);
    this.#terms.push(term);
  }

  /** Forgets all from `index` on. */
  truncate(index: number): void {
    while ((this.#starts.at(-1) ?? 0) >= index) {
      this.#starts.pop();
      this.#terms.pop();
    }
  }

  /** Forgets all before `first`. */
  startAt(first: number): void {
    let gone = 0;
    while (gone + 1 < this.#starts.length && this.#starts[gone + 1]! <= first) gone += 1;
    this.#starts.splice(0, gone);
    this.#terms.splice(0, gone);
  }

  /** 0 before the first run. */
  at(index: number): number {
    let low = 0;
    let high = this.#starts.length;
    if (high > 0 && this.#starts[high - 1]! <= index) return this.#terms[high - 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#terms[low - 1]!;
  }
}
