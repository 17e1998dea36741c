import type { NewTransfer, TransferResult } from '../../client/index.ts';

/** An acknowledged transfer: the answer that every later one must repeat. */
export interface Acknowledged {
  readonly transfer: NewTransfer;
  readonly timestamp: bigint;
}

/** What the clients were told, over all rounds; what the ledger holds is compared with it. */
export class Told {
  /** By id, in the order of the answers. */
  readonly acknowledged = new Map<bigint, Acknowledged>();
  /** Refused by the ledger's rules, for good. */
  readonly refused = new Set<bigint>();
  /** Debits and credits of every account by the acknowledged transfers. */
  readonly sums = new Map<bigint, { debits: bigint; credits: bigint }>();
  /** Clients gave up on these, and an answer was fetched afterwards. */
  unknownResolved = 0;

  note(transfer: NewTransfer, result: TransferResult): void {
    if (!result.ok) {
      this.refused.add(transfer.id);
      return;
    }
    this.acknowledged.set(transfer.id, { transfer, timestamp: result.timestamp });
    this.#sum(transfer.debitAccountId).debits += transfer.amount;
    this.#sum(transfer.creditAccountId).credits += transfer.amount;
  }

  #sum(account: bigint): { debits: bigint; credits: bigint } {
    const sum = this.sums.get(account) ?? { debits: 0n, credits: 0n };
    this.sums.set(account, sum);
    return sum;
  }
}
