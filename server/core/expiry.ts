import { expireSubBatch } from '../../ledger/entry.ts';
import type { Machine } from '../../ledger/machine.ts';
import { EXPIRE_ITEMS_MAX } from './limits.ts';
import type { Proposals } from './proposals.ts';

/**
 * The leader's part in expiry: when the earliest deadline has come it proposes an entry that lists what is
 * due, one at a time. Apply decides what expires. Like a crossing it lives in the machine's state alone:
 * a successor goes on by itself.
 */
export class Expiry {
  readonly #machine: Machine;
  readonly #proposals: Proposals;
  #underWay = false;

  constructor(machine: Machine, proposals: Proposals) {
    this.#machine = machine;
    this.#proposals = proposals;
  }

  /** `now`: no later than the timestamp that the next entry gets, ns. */
  isDue(now: () => bigint): boolean {
    if (this.#underWay) return false;
    const deadline = this.#machine.nextDeadline;
    return deadline !== null && deadline <= now();
  }

  drive(nowOf: () => bigint): void {
    if (!this.isDue(nowOf)) return;
    const now = nowOf();
    this.#underWay = true;
    const items = this.#machine.dueTimeouts(now, EXPIRE_ITEMS_MAX);
    // Called too when leadership is lost: then it may or may not be in the log.
    this.#proposals.add(expireSubBatch(items), () => {
      this.#underWay = false;
    });
  }
}
