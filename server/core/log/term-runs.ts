import type { TermRun } from './unit-state.ts';

/** The term of each index, kept as runs: a unit has few terms and many entries. */
export class TermRuns {
  /** By first index, ascending. */
  #runs: TermRun[] = [];

  get all(): readonly TermRun[] {
    return this.#runs;
  }

  /** In place of all that was there. */
  set(runs: readonly TermRun[]): void {
    this.#runs = [...runs];
  }

  /** The entry at `index`, which follows all others. */
  push(index: number, term: number): void {
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: index, term });
  }

  /** Forgets all from `index` on. */
  truncate(index: number): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop();
  }

  /** Forgets all before `first`. */
  startAt(first: number): void {
    let gone = 0;
    while (gone + 1 < this.#runs.length && this.#runs[gone + 1]!.first <= first) gone += 1;
    this.#runs.splice(0, gone);
  }

  /** 0 before the first run. */
  at(index: number): number {
    const newest = this.#runs.at(-1);
    if (newest !== undefined && newest.first <= index) return newest.term;
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.first <= index) low = middle + 1;
      else high = middle;
    }
    return this.#runs[low - 1]?.term ?? 0;
  }
}
