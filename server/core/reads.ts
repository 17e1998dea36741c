import { RECORD_WORDS, TRANSFER_ROW_WORDS, TransferRowWord } from '../../ledger/layout.ts';
import type { Machine } from '../../ledger/machine.ts';
import type { Books } from './books.ts';
import { sideOf, u64At } from './books-row.ts';
import type { AccountTransfersRequest } from './gateway/api.ts';

/** Words of an account-transfers request's body. */
export const QUERY_WORDS = 12;

export function encodeAccountTransfers(request: AccountTransfersRequest): Uint32Array {
  const words = new Uint32Array(QUERY_WORDS);
  words.set(request.accountId.subarray(0, 4));
  putU64(words, 4, request.fromTimestamp);
  putU64(words, 6, request.toTimestamp);
  words[8] = request.limit;
  words[9] = request.reversed ? 1 : 0;
  return words;
}

/** Found accounts' records, in the order asked. */
export function lookupAccounts(machine: Machine, ids: Uint32Array): Uint32Array {
  const found = new Uint32Array((ids.length / 4) * RECORD_WORDS);
  let at = 0;
  for (let i = 0; i < ids.length; i += 4) {
    const handle = machine.findAccount(ids, i);
    if (handle < 0) continue;
    machine.readAccount(handle, found, at);
    at += RECORD_WORDS;
  }
  return found.slice(0, at);
}

/** Found transfers' rows, in the order asked: those in memory, else those in the books. */
export function lookupTransfers(machine: Machine, books: Books, ids: Uint32Array): Uint32Array {
  const rows: Uint32Array[] = [];
  for (let i = 0; i < ids.length; i += 4) {
    const id = ids.subarray(i, i + 4);
    const resident = machine.findResidentTransfer(id, 0);
    const row = resident ?? books.lookUp(id.slice())[0] ?? null;
    if (row instanceof Uint32Array) rows.push(row);
  }
  return concat(rows, TRANSFER_ROW_WORDS);
}

/**
 * The account's record, then a page of its rows, newest first if reversed. Rows that the books don't
 * hold yet come from memory; the walk goes on in the books at the row that the oldest of these links to.
 */
export function accountTransfers(machine: Machine, books: Books, query: Uint32Array): Uint32Array {
  const accountId = query.slice(0, 4);
  const handle = machine.findAccount(accountId, 0);
  if (handle < 0) return new Uint32Array(0);
  const fromTimestamp = u64At(query, 4);
  const toTimestamp = u64At(query, 6);
  const limit = query[8]!;
  const reversed = query[9] === 1;
  const unfolded = machine.unfoldedAccountTransfers(accountId);
  const oldest = unfolded.at(-1);
  const newestInBooks =
    oldest === undefined ? machine.accountLatestTransfer(handle) : previousOf(oldest, accountId);
  const inRange = unfolded.filter((row) => {
    const timestamp = u64At(row, TransferRowWord.rowTimestamp);
    return timestamp >= fromTimestamp && timestamp <= toTimestamp;
  });
  const fromBooks = (count: number) =>
    count <= 0 || newestInBooks === 0n
      ? []
      : books.accountTransfers({
          newestRowTimestamp: newestInBooks,
          accountId,
          fromTimestamp,
          toTimestamp,
          reversed,
          limit: count,
        });
  let rows: Uint32Array[];
  if (reversed) {
    rows = inRange.slice(0, limit);
    rows.push(...fromBooks(limit - rows.length));
  } else {
    rows = fromBooks(limit);
    rows.push(...inRange.toReversed().slice(0, limit - rows.length));
  }
  const account = new Uint32Array(RECORD_WORDS);
  machine.readAccount(handle, account, 0);
  return concat([account, ...rows], TRANSFER_ROW_WORDS);
}

/** Row timestamp of the account's row before this one, 0 = none. */
function previousOf(row: Uint32Array, accountId: Uint32Array): bigint {
  const side = sideOf(row, accountId);
  if (side === null) throw new Error("an account's unfolded row names another account");
  return u64At(
    row,
    side === 'debit' ? TransferRowWord.previousDebit : TransferRowWord.previousCredit,
  );
}

function concat(parts: readonly Uint32Array[], partWords: number): Uint32Array {
  const words = new Uint32Array(parts.length * partWords);
  let at = 0;
  for (const part of parts) {
    words.set(part, at);
    at += part.length;
  }
  return words.slice(0, at);
}

function putU64(words: Uint32Array, offset: number, value: bigint): void {
  words[offset] = Number(value & 0xffff_ffffn);
  words[offset + 1] = Number(value >> 32n);
}
