import { sameId } from '../server/core/books-row.ts';

/** Rows of one size, in the pieces they came in; never changed, so that pieces are kept as they are. */
export class RowStore {
  readonly rowWords: number;
  readonly #pieces: Uint32Array[] = [];
  /** Ordinal of each piece's first row. */
  readonly #starts: number[] = [];
  #count = 0;

  constructor(rowWords: number) {
    this.rowWords = rowWords;
  }

  get count(): number {
    return this.#count;
  }

  append(rows: Uint32Array): void {
    if (rows.length === 0) return;
    this.#pieces.push(rows);
    this.#starts.push(this.#count);
    this.#count += rows.length / this.rowWords;
  }

  /** A view of the row; not to be changed. */
  row(ordinal: number): Uint32Array {
    if (!(ordinal >= 0 && ordinal < this.#count)) throw new RangeError(`no row ${ordinal}`);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= ordinal) low = middle;
      else high = middle - 1;
    }
    const at = (ordinal - this.#starts[low]!) * this.rowWords;
    return this.#pieces[low]!.subarray(at, at + this.rowWords);
  }
}

const CELLS_MIN = 1_024;

/** Finds rows of a store by the id at their word 0: a hash table with open addressing. */
export class IdIndex {
  readonly #rows: RowStore;
  readonly #takes: (row: Uint32Array) => boolean;
  /** Ordinal + 1 of the row in the cell, 0 = free. Its length is a power of two. */
  #cells = new Uint32Array(CELLS_MIN);
  #indexed = 0;

  /** Rows that it does not take stay unknown to it. */
  constructor(rows: RowStore, takes: (row: Uint32Array) => boolean = () => true) {
    this.#rows = rows;
    this.#takes = takes;
  }

  /** Takes in the rows that the store got since. Throws if one has the id of another. */
  extend(): void {
    while (this.#indexed < this.#rows.count) {
      if (this.#indexed * 2 >= this.#cells.length) this.#grow();
      this.#insert(this.#indexed);
      this.#indexed += 1;
    }
  }

  /** Ordinal of the row with the id, or -1. */
  find(ids: Uint32Array, offset: number): number {
    return this.#cells[this.#cellOf(ids, offset)]! - 1;
  }

  /** The cell that has the id, or the free one where it would go. */
  #cellOf(ids: Uint32Array, offset: number): number {
    const mask = this.#cells.length - 1;
    for (let cell = hash(ids, offset) & mask; ; cell = (cell + 1) & mask) {
      const ordinal = this.#cells[cell]! - 1;
      if (ordinal < 0 || sameId(this.#rows.row(ordinal), 0, ids, offset)) return cell;
    }
  }

  #insert(ordinal: number): void {
    const row = this.#rows.row(ordinal);
    if (!this.#takes(row)) return;
    const cell = this.#cellOf(row, 0);
    if (this.#cells[cell] !== 0) throw new Error('an id comes twice');
    this.#cells[cell] = ordinal + 1;
  }

  #grow(): void {
    this.#cells = new Uint32Array(this.#cells.length * 2);
    for (let ordinal = 0; ordinal < this.#indexed; ordinal++) this.#insert(ordinal);
  }
}

function hash(words: Uint32Array, offset: number): number {
  let value = 0;
  for (let word = 0; word < 4; word++) {
    value = Math.imul(value ^ words[offset + word]!, 0x9e37_79b1);
    value ^= value >>> 15;
  }
  return value;
}
