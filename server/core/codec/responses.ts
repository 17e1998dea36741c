import {
  AccountWord,
  BALANCES_WORDS,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { AccountStatus } from '../../../ledger/status.ts';
import { AccountTag, TransferTag } from './fields.ts';
import { Writer } from './writer.ts';

/**
 * Responses, from packed words straight into protobuf bytes. The caps below are the longest that a
 * message can be: a u128 takes 18 bytes with tag and length, a u64 9, a u32 6, a u16 4, a status 11.
 */
const LIST_TAG = 0x0a;
const RESULT_BYTES_MAX = 3 + 11 + 9;
const RESULT_WITH_BALANCES_BYTES_MAX = RESULT_BYTES_MAX + 2 * (2 + 4 * 18);
const ACCOUNT_BYTES_MAX = 3 + 6 * 18 + 2 * 9 + 2 * 6 + 2 * 4;
const TRANSFER_BYTES_MAX = 3 + 6 * 18 + 2 * 9 + 3 * 6 + 2 * 4;
const ACCOUNT_TRANSFER_BYTES_MAX = 3 + TRANSFER_BYTES_MAX + 9;

const ResultTag = { status: 0x08, timestamp: 0x11, debitAccount: 0x1a, creditAccount: 0x22 };

/** CreateAccountsResponse. `results`: RESULT_WORDS each. */
export function encodeAccountResults(results: Uint32Array): Buffer {
  return encodeResults(results);
}

/** CreateTransfersResponse. `results`: RESULT_WORDS each, or RESULT_WITH_BALANCES_WORDS. */
export function encodeTransferResults(results: Uint32Array, balances: boolean): Buffer {
  return balances ? encodeResultsWithBalances(results) : encodeResults(results);
}

/** LookupAccountsResponse. `records`: account records. */
export function encodeAccounts(records: Uint32Array): Buffer {
  const writer = new Writer((records.length / RECORD_WORDS) * ACCOUNT_BYTES_MAX);
  for (let base = 0; base < records.length; base += RECORD_WORDS) {
    writeAccount(writer, records, base);
  }
  return writer.finish();
}

/** LookupTransfersResponse. `rows`: TRANSFER_ROW_WORDS each. */
export function encodeTransfers(rows: Uint32Array): Buffer {
  const writer = new Writer((rows.length / TRANSFER_ROW_WORDS) * TRANSFER_BYTES_MAX);
  for (let base = 0; base < rows.length; base += TRANSFER_ROW_WORDS) {
    writeTransfer(writer, rows, base + TransferRowWord.record);
  }
  return writer.finish();
}

/** GetAccountTransfersResponse. `words`: the account's record, then transfer rows. */
export function encodeAccountTransfers(words: Uint32Array): Buffer {
  const rows = (words.length - RECORD_WORDS) / TRANSFER_ROW_WORDS;
  const writer = new Writer(ACCOUNT_BYTES_MAX + rows * ACCOUNT_TRANSFER_BYTES_MAX);
  writeAccount(writer, words, 0);
  for (let base = RECORD_WORDS; base < words.length; base += TRANSFER_ROW_WORDS) {
    const start = writer.open(0x12);
    writeTransfer(writer, words, base + TransferRowWord.record);
    writer.fixed64(0x11, words, base + TransferRowWord.rowTimestamp);
    writer.close(start);
  }
  return writer.finish();
}

function encodeResults(results: Uint32Array): Buffer {
  const writer = new Writer((results.length / RESULT_WORDS) * RESULT_BYTES_MAX);
  for (let base = 0; base < results.length; base += RESULT_WORDS) {
    const start = writer.open(LIST_TAG);
    writeOutcome(writer, results, base);
    writer.close(start);
  }
  return writer.finish();
}

function encodeResultsWithBalances(results: Uint32Array): Buffer {
  const count = results.length / RESULT_WITH_BALANCES_WORDS;
  const writer = new Writer(count * RESULT_WITH_BALANCES_BYTES_MAX);
  for (let base = 0; base < results.length; base += RESULT_WITH_BALANCES_WORDS) {
    const start = writer.open(LIST_TAG);
    writeOutcome(writer, results, base);
    const flags = results[base + ResultWord.flags]!;
    const debit = base + RESULT_WORDS;
    if ((flags & ResultFlag.debitBalances) !== 0) {
      writeBalances(writer, ResultTag.debitAccount, results, debit);
    }
    if ((flags & ResultFlag.creditBalances) !== 0) {
      writeBalances(writer, ResultTag.creditAccount, results, debit + BALANCES_WORDS);
    }
    writer.close(start);
  }
  return writer.finish();
}

function writeOutcome(writer: Writer, results: Uint32Array, base: number): void {
  const status = results[base + ResultWord.status]!;
  // Statuses that servers keep among themselves (InternalStatus) must never reach a client.
  if (status === 0 || (status >= 0x8000_0000 && status !== AccountStatus.created)) {
    throw new Error(`codec: status ${status} is not for clients`);
  }
  writer.enumValue(ResultTag.status, status);
  writer.fixed64(ResultTag.timestamp, results, base + ResultWord.timestamp);
}

function writeBalances(writer: Writer, tag: number, words: Uint32Array, base: number): void {
  const start = writer.open(tag);
  writer.u128(0x0a, words, base);
  writer.u128(0x12, words, base + 4);
  writer.u128(0x1a, words, base + 8);
  writer.u128(0x22, words, base + 12);
  writer.close(start);
}

function writeAccount(writer: Writer, words: Uint32Array, base: number): void {
  const start = writer.open(LIST_TAG);
  writer.u128(AccountTag.id, words, base + AccountWord.id);
  writer.u128(AccountTag.debitsPending, words, base + AccountWord.debitsPending);
  writer.u128(AccountTag.debitsPosted, words, base + AccountWord.debitsPosted);
  writer.u128(AccountTag.creditsPending, words, base + AccountWord.creditsPending);
  writer.u128(AccountTag.creditsPosted, words, base + AccountWord.creditsPosted);
  writer.u128(AccountTag.userData128, words, base + AccountWord.userData128);
  writer.fixed64(AccountTag.userData64, words, base + AccountWord.userData64);
  writer.uint32(AccountTag.userData32, words[base + AccountWord.userData32]!);
  writer.uint32(AccountTag.ledger, words[base + AccountWord.ledger]!);
  const codeAndFlags = words[base + AccountWord.codeAndFlags]!;
  writer.uint32(AccountTag.code, codeAndFlags & 0xffff);
  writer.uint32(AccountTag.flags, codeAndFlags >>> 16);
  writer.fixed64(AccountTag.timestamp, words, base + AccountWord.timestamp);
  writer.close(start);
}

function writeTransfer(writer: Writer, words: Uint32Array, base: number): void {
  const start = writer.open(LIST_TAG);
  writer.u128(TransferTag.id, words, base + TransferWord.id);
  writer.u128(TransferTag.debitAccountId, words, base + TransferWord.debitAccountId);
  writer.u128(TransferTag.creditAccountId, words, base + TransferWord.creditAccountId);
  writer.u128(TransferTag.amount, words, base + TransferWord.amount);
  writer.u128(TransferTag.pendingId, words, base + TransferWord.pendingId);
  writer.u128(TransferTag.userData128, words, base + TransferWord.userData128);
  writer.fixed64(TransferTag.userData64, words, base + TransferWord.userData64);
  writer.uint32(TransferTag.userData32, words[base + TransferWord.userData32]!);
  writer.uint32(TransferTag.timeout, words[base + TransferWord.timeout]!);
  writer.uint32(TransferTag.ledger, words[base + TransferWord.ledger]!);
  const codeAndFlags = words[base + TransferWord.codeAndFlags]!;
  writer.uint32(TransferTag.code, codeAndFlags & 0xffff);
  writer.uint32(TransferTag.flags, codeAndFlags >>> 16);
  writer.fixed64(TransferTag.timestamp, words, base + TransferWord.timestamp);
  writer.close(start);
}
