import { invariant } from './invariant.ts';

const CHUNK_SHIFT = 12;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_ROWS - 1;
/** A fold drops so many chunks at once, at the most that is common. */
const SPARES_MAX = 8;

/** Rows of one width in the order they came, dropped from the oldest on. Chunked: growth copies nothing. */
export class RowRing {
  readonly #rowWords: number;
  #chunks: Uint32Array[] = [];
  /** Serial of the first row that the first chunk has room for. */
  #base = 0;
  #begin = 0;
  #end = 0;
  /** Chunks dropped of late, so that a ring in balance allocates none: fresh memory costs more than the rows. */
  readonly #spares: Uint32Array[] = [];

  constructor(rowWords: number) {
    this.#rowWords = rowWords;
  }

  /** Serial of the oldest row. Rows are numbered from 0 and keep their number. */
  get begin(): number {
    return this.#begin;
  }

  /** Serial that the next row gets. */
  get end(): number {
    return this.#end;
  }

  get count(): number {
    return this.#end - this.#begin;
  }

  get bytes(): number {
    const chunks = this.#chunks.length + this.#spares.length;
    return chunks * CHUNK_ROWS * this.#rowWords * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** Adds a row and returns its serial. Its words are undefined until written. */
  append(): number {
    const serial = this.#end;
    const chunk = (serial - this.#base) >>> CHUNK_SHIFT;
    if (chunk === this.#chunks.length) {
      this.#chunks.push(this.#spares.pop() ?? new Uint32Array(CHUNK_ROWS * this.#rowWords));
    }
    this.#end = serial + 1;
    return serial;
  }

  wordsOf(serial: number): Uint32Array {
    return this.#chunks[(serial - this.#base) >>> CHUNK_SHIFT]!;
  }

  offsetOf(serial: number): number {
    return ((serial - this.#base) & CHUNK_MASK) * this.#rowWords;
  }

  /** Rows from serial on up to the newest, copied. */
  copyFrom(serial: number): Uint32Array {
    invariant(
      serial >= this.#begin && serial <= this.#end,
      'rows were dropped before they were folded',
    );
    const rows = new Uint32Array((this.#end - serial) * this.#rowWords);
    let to = 0;
    while (serial < this.#end) {
      const from = this.offsetOf(serial);
      const inChunk = CHUNK_ROWS - from / this.#rowWords;
      const count = Math.min(inChunk, this.#end - serial);
      rows.set(this.wordsOf(serial).subarray(from, from + count * this.#rowWords), to);
      to += count * this.#rowWords;
      serial += count;
    }
    return rows;
  }

  /** Takes the newest rows away again, from serial on. */
  truncate(serial: number): void {
    invariant(serial >= this.#begin && serial <= this.#end, 'rows to take back are gone');
    this.#end = serial;
    const chunks = (serial - this.#base + CHUNK_MASK) >>> CHUNK_SHIFT;
    this.#chunks.length = Math.min(this.#chunks.length, Math.max(1, chunks));
  }

  dropThrough(serial: number): void {
    while (this.#begin < serial) this.dropOldest();
  }

  dropOldest(): void {
    invariant(this.#begin < this.#end, 'there is no row to drop');
    this.#begin += 1;
    if (this.#begin - this.#base === CHUNK_ROWS) {
      const dropped = this.#chunks.shift()!;
      if (this.#spares.length < SPARES_MAX) this.#spares.push(dropped);
      this.#base = this.#begin;
    }
  }
}
