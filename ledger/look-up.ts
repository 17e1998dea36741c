import { InvariantError, invariant } from './invariant.ts';
import { WordBuffer } from './words.ts';

/**
 * What the books answer for an id: its transfer row (TRANSFER_ROW_WORDS, with its PendingState), that
 * it is burnt, or null.
 */
export type LookUpResult = Uint32Array | 'burnt' | null;

/** What the next entry needs and memory can't tell: nearly always nothing. */
export interface Unsettled {
  /** Transfer ids, four words each: for Books.lookUp. */
  readonly ids: Uint32Array;
  /** Row timestamps, two words each: for Books.rowsAt. */
  readonly timestamps: Uint32Array;
}

/** An event's own id, and the pending transfer that it resolves. */
export const LookUpRole = { own: 0, pending: 1 } as const;
const ROLES = 2;

/** Keys asked of the books, by event, and then what the books know of them. Events ask in order. */
class Answers<T> {
  readonly #keyWords: number;
  readonly #ordinals = new WordBuffer();
  readonly #keys = new WordBuffer();
  #asked: Uint32Array = new Uint32Array(0);
  #found: readonly T[] = [];
  #cursor = 0;

  constructor(keyWords: number) {
    this.#keyWords = keyWords;
  }

  ask(ordinal: number, words: Uint32Array, at: number): void {
    this.#ordinals.push(ordinal);
    const row = this.#keys.addRow(this.#keyWords);
    for (let word = 0; word < this.#keyWords; word += 1) {
      this.#keys.words[row + word] = words[at + word]!;
    }
  }

  /** Ends the list that `ask` built and returns its keys. */
  close(): Uint32Array {
    this.#found = [];
    this.#cursor = 0;
    if (this.#asked.length > 0 || this.#ordinals.length > 0) this.#asked = this.#ordinals.take();
    return this.#asked.length === 0 ? this.#asked : this.#keys.take();
  }

  answer(found: readonly T[]): void {
    const count = this.#asked.length;
    invariant(found.length === count, `${found.length} answers for ${count} unsettled keys`);
    this.#found = found;
    this.#cursor = 0;
  }

  /** One that was settled by an earlier event of its entry doesn't ask. */
  of(ordinal: number): T {
    const asked = this.#asked;
    while (this.#cursor < asked.length && asked[this.#cursor]! < ordinal) this.#cursor += 1;
    if (asked[this.#cursor] !== ordinal) {
      throw new InvariantError('a key is neither resident, looked up nor excluded');
    }
    return this.#found[this.#cursor]!;
  }
}

/** The unsettled keys of the next entry. */
export class LookUps {
  readonly #ids = new Answers<LookUpResult>(4);
  readonly #rows = new Answers<Uint32Array | null>(2);

  askId(event: number, role: number, words: Uint32Array, at: number): void {
    this.#ids.ask(event * ROLES + role, words, at);
  }

  askRow(event: number, words: Uint32Array, at: number): void {
    this.#rows.ask(event, words, at);
  }

  close(): Unsettled {
    return { ids: this.#ids.close(), timestamps: this.#rows.close() };
  }

  answer(ids: readonly LookUpResult[], rows: readonly (Uint32Array | null)[]): void {
    this.#ids.answer(ids);
    this.#rows.answer(rows);
  }

  id(event: number, role: number): LookUpResult {
    return this.#ids.of(event * ROLES + role);
  }

  row(event: number): Uint32Array | null {
    return this.#rows.of(event);
  }
}
