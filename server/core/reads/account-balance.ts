import { AccountWord, BALANCES_WORDS, RECORD_WORDS } from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { AccountHistory } from './account-history.ts';
import type { Source } from './source.ts';

/** Request: the account's id, then a u64 timestamp, 0 = now, and two zero words. */
export const BALANCE_QUERY_WORDS = 8;
export const BalanceQueryWord = { accountId: 0, timestamp: 4 } as const;

/** Answer: the balances, then these; empty if there is, or was then, no such account. */
export const BALANCE_WORDS = BALANCES_WORDS + 4;
export const BalanceWord = {
  balances: 0,
  ledger: BALANCES_WORDS,
  /** 1 if nothing can be booked any more that would change it. The other words are zero. */
  final: BALANCES_WORDS + 1,
} as const;

export function accountBalance(source: Source, query: Uint32Array): Uint32Array {
  const { machine } = source;
  const accountId = query.slice(0, 4);
  const timestamp = u64At(query, BalanceQueryWord.timestamp);
  const handle = machine.findAccount(accountId, 0);
  const answer = new Uint32Array(BALANCE_WORDS);
  if (handle < 0) return answer.subarray(0, 0);
  const record = new Uint32Array(RECORD_WORDS);
  machine.readAccount(handle, record, 0);
  answer[BalanceWord.ledger] = record[AccountWord.ledger]!;
  if (timestamp === 0n) {
    const from = AccountWord.debitsPending;
    answer.set(record.subarray(from, from + BALANCES_WORDS));
    return answer;
  }
  if (timestamp < u64At(record, AccountWord.timestamp)) return answer.subarray(0, 0);
  answer.set(new AccountHistory(source, accountId, handle).balancesAt(timestamp));
  // Row timestamps ascend strictly in the order of booking, those of imported transfers too.
  answer[BalanceWord.final] = timestamp <= machine.lastRowTimestamp ? 1 : 0;
  return answer;
}
