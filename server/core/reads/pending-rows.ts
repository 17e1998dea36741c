import { Leg, TransferFlag, TransferWord } from '../../../ledger/layout.ts';
import { concat, flagsOf, legOf } from './row.ts';
import type { Source } from './source.ts';

const RESOLVING = TransferFlag.postPendingTransfer | TransferFlag.voidPendingTransfer;

/** A post or a void. */
export function resolvesPending(row: Uint32Array): boolean {
  return legOf(row) === Leg.both && (flagsOf(row) & RESOLVING) !== 0;
}

/** The pending transfers that posts and voids resolve, by their ids, read once for many rows. */
export class PendingRows {
  readonly #source: Source;
  readonly #rows = new Map<string, Uint32Array>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** Reads what these rows resolve, those that memory doesn't know all at once. */
  add(rows: readonly Uint32Array[]): void {
    const missing: Uint32Array[] = [];
    for (const row of rows) {
      if (!resolvesPending(row) || this.#rows.has(keyOf(row))) continue;
      const found = this.#source.machine.findResidentTransfer(row, TransferWord.pendingId);
      if (found instanceof Uint32Array) this.#rows.set(keyOf(row), found);
      else missing.push(row);
    }
    if (missing.length === 0) return;
    const ids = missing.map((row) => idOf(row));
    const found = this.#source.books.lookUp(concat(ids));
    missing.forEach((row, i) => {
      const pending = found[i];
      if (!(pending instanceof Uint32Array)) {
        throw new Error(`the pending transfer ${keyOf(row)} of a post or void is not in the books`);
      }
      this.#rows.set(keyOf(row), pending);
    });
  }

  /** What a post or void resolves, `add` having seen it; null for other rows. */
  of(row: Uint32Array): Uint32Array | null {
    return resolvesPending(row) ? this.#rows.get(keyOf(row))! : null;
  }

  get size(): number {
    return this.#rows.size;
  }

  clear(): void {
    this.#rows.clear();
  }
}

function idOf(row: Uint32Array): Uint32Array {
  return row.subarray(TransferWord.pendingId, TransferWord.pendingId + 4);
}

function keyOf(row: Uint32Array): string {
  return idOf(row).join();
}
