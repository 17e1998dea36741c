import {
  BALANCES_WORDS,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { BalanceWord } from '../reads/account-balance.ts';
import {
  ACCOUNT_BYTES_MAX,
  BALANCES_BYTES_MAX,
  TRANSFER_BYTES_MAX,
  writeAccount,
  writeBalances,
  writeTransfer,
} from './records.ts';
import { Writer } from './writer.ts';

/** Responses of the calls that read, from packed words straight into protobuf bytes. */
const LIST_TAG = 0x0a;
const BOOKED_BYTES_MAX = 3 + TRANSFER_BYTES_MAX + 9;
/** Tag and length, up to 3 bytes. */
const TOKEN_HEADER_BYTES_MAX = 4;

/** LookupAccountsResponse. `records`: account records. */
export function encodeAccounts(records: Uint32Array): Buffer {
  return encodeQueriedAccounts(records, new Uint8Array(0));
}

/** QueryAccountsResponse. */
export function encodeQueriedAccounts(records: Uint32Array, token: Uint8Array): Buffer {
  const count = records.length / RECORD_WORDS;
  const writer = new Writer(count * ACCOUNT_BYTES_MAX + TOKEN_HEADER_BYTES_MAX + token.length);
  for (let base = 0; base < records.length; base += RECORD_WORDS) {
    writeAccount(writer, LIST_TAG, records, base);
  }
  writer.bytesField(0x12, token);
  return writer.finish();
}

/** LookupTransfersResponse. `rows`: TRANSFER_ROW_WORDS each. */
export function encodeTransfers(rows: Uint32Array): Buffer {
  const writer = new Writer((rows.length / TRANSFER_ROW_WORDS) * TRANSFER_BYTES_MAX);
  for (let base = 0; base < rows.length; base += TRANSFER_ROW_WORDS) {
    writeTransfer(writer, LIST_TAG, rows, base);
  }
  return writer.finish();
}

/** QueryTransfersResponse. `rows`: TRANSFER_ROW_WORDS each. */
export function encodeQueriedTransfers(rows: Uint32Array, token: Uint8Array): Buffer {
  const count = rows.length / TRANSFER_ROW_WORDS;
  const writer = new Writer(count * BOOKED_BYTES_MAX + TOKEN_HEADER_BYTES_MAX + token.length);
  for (let base = 0; base < rows.length; base += TRANSFER_ROW_WORDS) {
    const start = writer.open(LIST_TAG);
    writeBooked(writer, rows, base);
    writer.close(start);
  }
  writer.bytesField(0x12, token);
  return writer.finish();
}

/** GetAccountTransfersResponse. `words`: the account's record, then rows, each with balances if so asked. */
export function encodeAccountTransfers(
  words: Uint32Array,
  balances: boolean,
  token: Uint8Array,
): Buffer {
  const stride = TRANSFER_ROW_WORDS + (balances ? BALANCES_WORDS : 0);
  const count = (words.length - RECORD_WORDS) / stride;
  const writer = new Writer(
    ACCOUNT_BYTES_MAX +
      count * (BOOKED_BYTES_MAX + BALANCES_BYTES_MAX) +
      TOKEN_HEADER_BYTES_MAX +
      token.length,
  );
  writeAccount(writer, LIST_TAG, words, 0);
  for (let base = RECORD_WORDS; base < words.length; base += stride) {
    const start = writer.open(0x12);
    writeBooked(writer, words, base);
    if (balances) writeBalances(writer, 0x1a, words, base + TRANSFER_ROW_WORDS);
    writer.close(start);
  }
  writer.bytesField(0x1a, token);
  return writer.finish();
}

/** GetAccountBalanceResponse. `words`: BALANCE_WORDS. */
export function encodeAccountBalance(words: Uint32Array): Buffer {
  const writer = new Writer(BALANCES_BYTES_MAX + 6 + 2);
  writeBalances(writer, 0x0a, words, BalanceWord.balances);
  writer.uint32(0x10, words[BalanceWord.ledger]!);
  writer.uint32(0x18, words[BalanceWord.final]!);
  return writer.finish();
}

/** The transfer and when it was booked, as the first two fields. */
function writeBooked(writer: Writer, words: Uint32Array, base: number): void {
  writeTransfer(writer, 0x0a, words, base);
  writer.fixed64(0x11, words, base + TransferRowWord.rowTimestamp);
}
