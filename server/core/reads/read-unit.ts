import { RequestKind } from '../messages.ts';
import { accountBalance } from './account-balance.ts';
import { accountTransfers } from './account-transfers.ts';
import { lookupAccounts, lookupTransfers } from './look-ups.ts';
import { queryAccounts } from './query-accounts.ts';
import { queryTransfers } from './query-transfers.ts';
import type { Source } from './source.ts';

/** Answers one read of a unit from what is applied. `words` has passed requestProblem. */
export function readUnit(source: Source, kind: number, words: Uint32Array): Uint32Array {
  switch (kind) {
    case RequestKind.lookupAccounts:
      return lookupAccounts(source.machine, words);
    case RequestKind.lookupTransfers:
      return lookupTransfers(source, words);
    case RequestKind.accountTransfers:
      return accountTransfers(source, words);
    case RequestKind.accountBalance:
      return accountBalance(source, words);
    case RequestKind.queryTransfers:
      return queryTransfers(source, words);
    case RequestKind.queryAccounts:
      return queryAccounts(source.machine, words);
    default:
      throw new Error(`unknown read of kind ${kind}`);
  }
}
