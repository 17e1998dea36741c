import { RECORD_WORDS } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { waiting } from './oracle-expiry.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import { type AccountFields, packAccounts } from './records.ts';
import { same, sameWords } from './same.ts';

/** Compares a machine's accounts and clocks with the oracle's. */
export class StateCheck {
  readonly #ledger: OracleLedger;
  readonly #packed = new WeakMap<AccountFields, Uint32Array>();

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  check(machine: Machine): void {
    const ledger = this.#ledger;
    same(machine.accountCount, ledger.accounts.size, 'count of accounts');
    const words = new Uint32Array(RECORD_WORDS);
    let handle = 0;
    for (const account of ledger.accounts.values()) {
      machine.readAccount(handle, words, 0);
      sameWords(words, this.#packedAccount(account), `account ${account.id}`);
      handle += 1;
    }
    const next = waiting(ledger)[0]?.deadline ?? null;
    same(machine.nextDeadline, next, 'next deadline');
    same(machine.lastRowTimestamp, ledger.lastEventTime, 'last row timestamp');
  }

  /** The oracle replaces an account when it changes, so what was packed once stays good. */
  #packedAccount(account: AccountFields): Uint32Array {
    let words = this.#packed.get(account);
    if (words === undefined) {
      words = packAccounts([account]);
      this.#packed.set(account, words);
    }
    return words;
  }
}
