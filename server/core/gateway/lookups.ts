import { Leg, RECORD_WORDS, TRANSFER_ROW_WORDS, TransferRowWord } from '../../../ledger/layout.ts';
import { sameId } from '../books-row.ts';
import { RequestKind } from '../messages.ts';
import type { SentRequest } from '../router.ts';
import type { GatewayDone, RequestHandle } from './api.ts';
import type { GatewayContext } from './context.ts';

/** Accounts by id, each asked of the unit that owns it. */
export class AccountLookup implements RequestHandle {
  readonly #sent: SentRequest[] = [];

  constructor(context: GatewayContext, ids: Uint32Array, count: number, done: GatewayDone) {
    const byUnit: { unit: number; positions: number[] }[] = [];
    for (let i = 0; i < count; i += 1) {
      const unit = context.unitOf(ids, i * 4);
      const known = byUnit.find((candidate) => candidate.unit === unit);
      if (known === undefined) byUnit.push({ unit, positions: [i] });
      else known.positions.push(i);
    }
    const found: (Uint32Array | undefined)[] = new Array(count).fill(undefined);
    let waiting = byUnit.length;
    for (const { unit, positions } of byUnit) {
      const asked = pickIds(ids, positions);
      this.#sent.push(
        context.router.request(unit, RequestKind.lookupAccounts, asked, (_outcome, accounts) => {
          place(found, positions, ids, accounts, RECORD_WORDS);
          waiting -= 1;
          if (waiting === 0) done(null, join(found, RECORD_WORDS));
        }),
      );
    }
  }

  cancel(): void {
    for (const sent of this.#sent) sent.cancel();
  }
}

/**
 * Transfers by id. An id doesn't say where it lives, so all units are asked, and all must answer. A
 * crossing counts once its home unit has completed it: its far leg alone is not shown.
 */
export class TransferLookup implements RequestHandle {
  readonly #sent: SentRequest[] = [];

  constructor(context: GatewayContext, ids: Uint32Array, count: number, done: GatewayDone) {
    const positions = Array.from({ length: count }, (_, i) => i);
    const found: (Uint32Array | undefined)[] = new Array(count).fill(undefined);
    const units = context.units();
    let waiting = units.length;
    for (const unit of units) {
      this.#sent.push(
        context.router.request(unit, RequestKind.lookupTransfers, ids, (_outcome, rows) => {
          place(found, positions, ids, rows, TRANSFER_ROW_WORDS, isWhole);
          waiting -= 1;
          if (waiting === 0) done(null, join(found, TRANSFER_ROW_WORDS));
        }),
      );
    }
  }

  cancel(): void {
    for (const sent of this.#sent) sent.cancel();
  }
}

function isWhole(rows: Uint32Array, at: number): boolean {
  return (rows[at + TransferRowWord.leg]! & 0xffff) !== Leg.far;
}

function pickIds(ids: Uint32Array, positions: readonly number[]): Uint32Array {
  const picked = new Uint32Array(positions.length * 4);
  positions.forEach((position, i) => {
    picked.set(ids.subarray(position * 4, position * 4 + 4), i * 4);
  });
  return picked;
}

/** `rows` start with their id and answer some of the positions, in their order. */
function place(
  found: (Uint32Array | undefined)[],
  positions: readonly number[],
  ids: Uint32Array,
  rows: Uint32Array,
  rowWords: number,
  wanted: (rows: Uint32Array, at: number) => boolean = () => true,
): void {
  let at = 0;
  for (const position of positions) {
    if (at >= rows.length) return;
    if (!sameId(rows, at, ids, position * 4)) continue;
    if (wanted(rows, at)) found[position] = rows.subarray(at, at + rowWords);
    at += rowWords;
  }
}

function join(found: readonly (Uint32Array | undefined)[], rowWords: number): Uint32Array {
  const rows = found.filter((row) => row !== undefined);
  const words = new Uint32Array(rows.length * rowWords);
  rows.forEach((row, i) => {
    words.set(row, i * rowWords);
  });
  return words;
}
