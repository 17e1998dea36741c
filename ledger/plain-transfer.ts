import { HotWord } from './account-store.ts';
import { creditLimitStatus, debitLimitStatus, OK } from './amount-rules.ts';
import { Known } from './known-ids.ts';
import { AccountFlag, HISTORY_EVERY, Leg, TransferRowWord, TransferWord } from './layout.ts';
import { addHistory } from './posting.ts';
import type { LedgerState } from './state.ts';
import { add } from './u128.ts';
import { copyRecord } from './words.ts';

const { debitsPending, debitsPosted, creditsPending, creditsPosted } = HotWord;
const SPECIAL_ACCOUNT = (AccountFlag.history | AccountFlag.closed) << 16;

/**
 * Books the event if there is nothing special about it: no flag, a new id, two accounts of its ledger
 * here, limits that hold, and amounts so small that nothing can overflow. Else nothing is done, and
 * createTransfer finds out what becomes of it. Most transfers are of this kind; in one function, without
 * the general path's calls, they take a third less time. It must never book what createTransfer would
 * not: each test below excludes some of its refusals.
 */
export function bookIfPlain(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  event: number,
  debit: number,
  credit: number,
  hash: number,
): boolean {
  const W = TransferWord;
  const codeAndFlags = words[at + W.codeAndFlags]!;
  const others =
    words[at + W.pendingId]! |
    words[at + W.pendingId + 1]! |
    words[at + W.pendingId + 2]! |
    words[at + W.pendingId + 3]! |
    (words[at + W.timeout]! | words[at + W.timestamp]! | words[at + W.timestamp + 1]!);
  // No flag, a code; no pending transfer, timeout or timestamp; two accounts that are here.
  if (codeAndFlags >>> 16 !== 0 || codeAndFlags === 0 || others !== 0) return false;
  if (debit < 0 || credit < 0 || debit === credit) return false;
  // No clearing account: their ids' high halves are all ones.
  const debitParty = words[at + W.debitAccountId + 2]! & words[at + W.debitAccountId + 3]!;
  const creditParty = words[at + W.creditAccountId + 2]! & words[at + W.creditAccountId + 3]!;
  if (debitParty === -1 || creditParty === -1) return false;
  const { accounts, ids, time, digest } = state;
  const debitPage = accounts.pageOf(debit);
  const d = accounts.offsetOf(debit);
  const creditPage = accounts.pageOf(credit);
  const c = accounts.offsetOf(credit);
  const ledger = words[at + W.ledger]!;
  if (debitPage[d + HotWord.ledger] !== ledger || creditPage[c + HotWord.ledger] !== ledger) {
    return false;
  }
  const flags = debitPage[d + HotWord.codeAndFlags]! | creditPage[c + HotWord.codeAndFlags]!;
  if ((flags & SPECIAL_ACCOUNT) !== 0) return false;
  const high =
    debitPage[d + debitsPending + 3]! |
    debitPage[d + debitsPosted + 3]! |
    creditPage[c + creditsPending + 3]! |
    creditPage[c + creditsPosted + 3]! |
    words[at + W.amount + 3]!;
  if (high >>> 30 !== 0) return false;
  if (debitLimitStatus(debitPage, d, words, at + W.amount) !== OK) return false;
  if (creditLimitStatus(creditPage, c, words, at + W.amount) !== OK) return false;
  const idAny = words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!;
  const idAll = words[at]! & words[at + 1]! & words[at + 2]! & words[at + 3]!;
  if (idAny === 0 || idAll === -1) return false;
  if (ids.locate(hash, words, at + W.id, event) !== Known.none) return false;

  add(debitPage, d + debitsPosted, words, at + W.amount);
  add(creditPage, c + creditsPosted, words, at + W.amount);
  digest.column(debitPage, d + debitsPosted);
  digest.column(creditPage, c + creditsPosted);
  const serial = ids.addRow(hash);
  const rows = ids.rows.wordsOf(serial);
  const row = ids.rows.offsetOf(serial);
  const { lo, hi } = time;
  copyRecord(words, at, rows, row);
  rows[row + W.timestamp] = lo;
  rows[row + W.timestamp + 1] = hi;
  rows[row + TransferRowWord.previousDebit] = debitPage[d + HotWord.latestTransfer]!;
  rows[row + TransferRowWord.previousDebit + 1] = debitPage[d + HotWord.latestTransfer + 1]!;
  rows[row + TransferRowWord.previousCredit] = creditPage[c + HotWord.latestTransfer]!;
  rows[row + TransferRowWord.previousCredit + 1] = creditPage[c + HotWord.latestTransfer + 1]!;
  rows[row + TransferRowWord.leg] = Leg.both;
  rows[row + TransferRowWord.crc] = 0;
  rows[row + TransferRowWord.rowTimestamp] = lo;
  rows[row + TransferRowWord.rowTimestamp + 1] = hi;
  debitPage[d + HotWord.latestTransfer] = lo;
  debitPage[d + HotWord.latestTransfer + 1] = hi;
  creditPage[c + HotWord.latestTransfer] = lo;
  creditPage[c + HotWord.latestTransfer + 1] = hi;
  const debitCount = (debitPage[d + HotWord.transferCount]! + 1) | 0;
  const creditCount = (creditPage[c + HotWord.transferCount]! + 1) | 0;
  debitPage[d + HotWord.transferCount] = debitCount;
  creditPage[c + HotWord.transferCount] = creditCount;
  if (debitPage[d + HotWord.changed] === 0) accounts.markChanged(debit);
  if (creditPage[c + HotWord.changed] === 0) accounts.markChanged(credit);
  if (debitCount % HISTORY_EVERY === 0) addHistory(state, debit, debitPage, d, time);
  if (creditCount % HISTORY_EVERY === 0) addHistory(state, credit, creditPage, c, time);
  state.lastRowLo = lo;
  state.lastRowHi = hi;
  state.outcome.debit = debit;
  state.outcome.credit = credit;
  return true;
}
