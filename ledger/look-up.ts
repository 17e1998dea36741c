import { InvariantError, invariant } from './invariant.ts';
import { WordBuffer } from './words.ts';

/**
 * What the books answer for an id: its transfer row (TRANSFER_ROW_WORDS, with its PendingState), that
 * it is burnt, or null.
 */
export type LookUpResult = Uint32Array | 'burnt' | null;

/** What apply must know and memory can't tell: ids, pending ids, and rows by their timestamp. */
export interface Unsettled {
  readonly count: number;
  /** Event number of each in the whole entry, ascending. */
  readonly ordinals: Uint32Array;
  /** count x 4 words. */
  readonly ids: Uint32Array;
}

/** The unsettled ids of the next entry, and then what the books know of them. */
export class LookUps {
  readonly #ordinals = new WordBuffer();
  readonly #ids = new WordBuffer();
  #unsettled: Unsettled = { count: 0, ordinals: new Uint32Array(0), ids: new Uint32Array(0) };
  #found: readonly LookUpResult[] = [];
  #cursor = 0;

  add(event: number, words: Uint32Array, at: number): void {
    this.#ordinals.push(event);
    const row = this.#ids.addRow(4);
    this.#ids.words.set(words.subarray(at, at + 4), row);
  }

  /** Ends the list that `add` built. */
  close(): Unsettled {
    this.#found = [];
    this.#cursor = 0;
    if (this.#unsettled.count > 0 || this.#ordinals.length > 0) {
      const ordinals = this.#ordinals.take();
      this.#unsettled = { count: ordinals.length, ordinals, ids: this.#ids.take() };
    }
    return this.#unsettled;
  }

  answer(found: readonly LookUpResult[]): void {
    const { count } = this.#unsettled;
    invariant(found.length === count, `${found.length} answers for ${count} unsettled ids`);
    this.#found = found;
    this.#cursor = 0;
  }

  /** Events ask in order; one that was settled by an earlier event of its entry doesn't ask. */
  resultOf(event: number): LookUpResult {
    const { ordinals } = this.#unsettled;
    while (this.#cursor < ordinals.length && ordinals[this.#cursor]! < event) this.#cursor += 1;
    const result = ordinals[this.#cursor] === event ? this.#found[this.#cursor] : undefined;
    if (result === undefined) {
      throw new InvariantError(
        `the id of event ${event} is neither resident, looked up nor excluded`,
      );
    }
    return result;
  }
}
