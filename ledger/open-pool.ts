import { OPEN_ROW_WORDS } from './layout.ts';

const PAGE_SHIFT = 8;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_ROWS - 1;

/** Rows of open crossings; a row keeps its place until it is released. */
export class OpenPool {
  readonly #pages: Uint32Array[] = [];
  #free: number[] = [];
  #used = 0;

  get bytes(): number {
    return this.#pages.length * PAGE_ROWS * OPEN_ROW_WORDS * Uint32Array.BYTES_PER_ELEMENT;
  }

  take(): number {
    const place = this.#free.pop() ?? this.#used;
    if (place === this.#used) {
      if (place >>> PAGE_SHIFT === this.#pages.length) {
        this.#pages.push(new Uint32Array(PAGE_ROWS * OPEN_ROW_WORDS));
      }
      this.#used += 1;
    }
    return place;
  }

  release(place: number): void {
    this.#free.push(place);
  }

  pageOf(place: number): Uint32Array {
    return this.#pages[place >>> PAGE_SHIFT]!;
  }

  offsetOf(place: number): number {
    return (place & PAGE_MASK) * OPEN_ROW_WORDS;
  }

  copyOf(place: number): Uint32Array {
    const at = this.offsetOf(place);
    return this.pageOf(place).slice(at, at + OPEN_ROW_WORDS);
  }
}
