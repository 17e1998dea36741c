import {
  BALANCES_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
} from '../../../ledger/layout.ts';
import { AccountStatus } from '../../../ledger/status.ts';
import { BALANCES_BYTES_MAX, writeBalances } from './records.ts';
import { Writer } from './writer.ts';

/**
 * Responses of the calls that write, from packed words straight into protobuf bytes. The caps below are the longest that a
 * message can be: a u128 takes 18 bytes with tag and length, a u64 9, a u32 6, a u16 4, a status 11.
 */
const LIST_TAG = 0x0a;
const RESULT_BYTES_MAX = 3 + 11 + 9;
const RESULT_WITH_BALANCES_BYTES_MAX = RESULT_BYTES_MAX + 2 * BALANCES_BYTES_MAX;
const ResultTag = { status: 0x08, timestamp: 0x11, debitAccount: 0x1a, creditAccount: 0x22 };

/** CreateAccountsResponse. `results`: RESULT_WORDS each. */
export function encodeAccountResults(results: Uint32Array): Buffer {
  return encodeResults(results);
}

/** CreateTransfersResponse. `results`: RESULT_WORDS each, or RESULT_WITH_BALANCES_WORDS. */
export function encodeTransferResults(results: Uint32Array, balances: boolean): Buffer {
  return balances ? encodeResultsWithBalances(results) : encodeResults(results);
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
