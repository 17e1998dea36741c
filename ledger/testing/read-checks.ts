import { EXPIRE_ITEM_WORDS, PendingState, TransferRowWord } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { type MemoryBooks, rowTime } from './memory-books.ts';
import { waiting } from './oracle-expiry.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import { idWords, putWords, unpackTransfer } from './records.ts';
import { same, sameWords } from './same.ts';

const LAST_TIMESTAMP = 2n ** 63n - 1n;

// Reads that no entry needs, compared with the oracle: `plain` keeps all in memory, `forgetful` little.

export function checkTransfer(
  ledger: OracleLedger,
  plain: Machine,
  forgetful: Machine,
  books: MemoryBooks,
  id: bigint,
): void {
  const known = plain.findResidentTransfer(idWords(id), 0);
  const transfer = ledger.transfers.get(id);
  if (transfer === undefined) {
    const word = ledger.burnt.has(id) ? 'burnt' : ledger.isOpen(id) ? 'open' : null;
    same(known, word, `what is known of ${id}`);
  } else {
    same(unpackTransfer(known as Uint32Array, 0), transfer, `transfer ${id}`);
    const row = (known as Uint32Array).slice();
    same(row[TransferRowWord.pendingState], stateOf(ledger, id), `state of ${id}`);
  }
  const [held] = books.lookUp(idWords(id)) as [Uint32Array | 'burnt' | null];
  if (held instanceof Uint32Array) {
    same(forgetful.pendingStateOf(held), stateOf(ledger, id), `state of ${id} in the books`);
  }
  const resident = forgetful.findResidentTransfer(idWords(id), 0);
  if (resident !== null) same(resident, known, `what the forgetful machine knows of ${id}`);
}

function stateOf(ledger: OracleLedger, id: bigint): number {
  const state = ledger.pendings.get(id)?.state;
  return state === undefined ? PendingState.none : PendingState[state];
}

/** An account's rows, newest first, and where it stands among the others. */
export function checkHistory(
  ledger: OracleLedger,
  plain: Machine,
  forgetful: Machine,
  id: bigint,
): void {
  const times = ledger.events
    .filter(({ debit, credit }) => debit === id || credit === id)
    .map(({ timestamp }) => timestamp)
    .reverse();
  same(plain.unfoldedAccountTransfers(idWords(id)).map(rowTime), times, `rows of ${id}`);
  const unfolded = forgetful.unfoldedAccountTransfers(idWords(id)).map(rowTime);
  same(unfolded, times.slice(0, unfolded.length), `unfolded rows of ${id}`);
  const { timestamp } = ledger.accounts.get(id)!;
  for (const machine of [plain, forgetful]) {
    const handle = machine.findAccount(idWords(id), 0);
    same(machine.accountLatestTransfer(handle), times[0] ?? 0n, `newest row of ${id}`);
    same(machine.firstAccountFrom(timestamp), handle, `first account from ${timestamp}`);
    same(machine.firstAccountFrom(timestamp + 1n), handle + 1, `first after ${timestamp}`);
  }
}

export function checkUnfolded(ledger: OracleLedger, plain: Machine, forgetful: Machine): void {
  const unfolded = forgetful.unfoldedRows(0n, LAST_TIMESTAMP, false, 1_000_000);
  const all = plain.unfoldedRows(0n, LAST_TIMESTAMP, false, 1_000_000);
  same(unfolded, unfolded.length === 0 ? [] : all.slice(-unfolded.length), 'unfolded rows');
  const reversed = plain.unfoldedRows(0n, LAST_TIMESTAMP, true, 3);
  same(reversed, all.slice(-3).toReversed(), 'newest unfolded rows');
  for (const { timestamp, requested, record } of ledger.events.slice(-10)) {
    const expected = requested === record.amount ? null : idWords(requested);
    same(plain.unfoldedRequested(timestamp), expected, `requested at ${timestamp}`);
  }
}

export function checkDue(ledger: OracleLedger, machine: Machine, now: bigint): void {
  const due = waiting(ledger).filter(({ deadline }) => deadline <= now);
  for (const max of [1, 3, 100]) {
    const items = new Uint32Array(Math.min(max, due.length) * EXPIRE_ITEM_WORDS);
    due.slice(0, max).forEach(({ timestamp }, i) => {
      putWords(items, i * EXPIRE_ITEM_WORDS, 2, timestamp);
    });
    sameWords(machine.dueTimeouts(now, max), items, 'what is due');
  }
}
