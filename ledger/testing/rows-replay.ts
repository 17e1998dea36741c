import { Leg, TransferFlag, TransferRowWord } from '../layout.ts';
import type { Balances } from './oracle-types.ts';
import { type TransferFields, unpackTransfer } from './records.ts';

interface Effect {
  readonly pending: bigint;
  readonly posted: bigint;
}

/** Balances told from transfer rows alone, in order. */
export class RowsReplay {
  readonly #balances = new Map<bigint, Balances>();
  readonly #pendingAmounts = new Map<bigint, bigint>();

  /** Both accounts' balances after the row. */
  apply(row: Uint32Array, debit: bigint, credit: bigint): [debit: Balances, credit: Balances] {
    const record = unpackTransfer(row, TransferRowWord.record);
    const { pending, posted } = this.#effectOf(row[TransferRowWord.leg]! & 0xffff, record);
    const [dp, dc, cp, cc] = this.#of(debit);
    this.#balances.set(debit, [dp + pending, dc + posted, cp, cc]);
    const [dp2, dc2, cp2, cc2] = this.#of(credit);
    this.#balances.set(credit, [dp2, dc2, cp2 + pending, cc2 + posted]);
    return [this.#of(debit), this.#of(credit)];
  }

  #of(account: bigint): Balances {
    return this.#balances.get(account) ?? [0n, 0n, 0n, 0n];
  }

  #effectOf(leg: number, { flags, amount, id, pendingId }: TransferFields): Effect {
    switch (leg) {
      case Leg.hold:
        return { pending: amount, posted: 0n };
      case Leg.home:
        return { pending: -amount, posted: amount };
      case Leg.release:
      case Leg.expiry:
        return { pending: -amount, posted: 0n };
      case Leg.far:
        return { pending: 0n, posted: amount };
    }
    if ((flags & TransferFlag.pending) !== 0) {
      this.#pendingAmounts.set(id, amount);
      return { pending: amount, posted: 0n };
    }
    if ((flags & TransferFlag.postPendingTransfer) !== 0) {
      return { pending: -this.#pendingAmounts.get(pendingId)!, posted: amount };
    }
    if ((flags & TransferFlag.voidPendingTransfer) !== 0) {
      return { pending: -this.#pendingAmounts.get(pendingId)!, posted: 0n };
    }
    return { pending: 0n, posted: amount };
  }
}
