import { AccountWord, TransferRowWord, TransferWord, WORD_BYTES } from '../../../ledger/layout.ts';

/**
 * Plain columns over the packed little-endian rows, computed by SQL alone, so that the sqlite3 shell
 * of any age (3.8.3 and later) reads the books without our code.
 */
export function accountView(): string {
  const columns = [
    `${bigEndianHex(AccountWord.id)} AS id`,
    `${amount(AccountWord.debitsPending)} AS debits_pending`,
    `${amount(AccountWord.debitsPosted)} AS debits_posted`,
    `${amount(AccountWord.creditsPending)} AS credits_pending`,
    `${amount(AccountWord.creditsPosted)} AS credits_posted`,
    `${bigEndianHex(AccountWord.userData128)} AS user_data_128`,
    `${u64(AccountWord.userData64)} AS user_data_64`,
    `${integer(AccountWord.userData32, 4)} AS user_data_32`,
    `${integer(AccountWord.ledger, 4)} AS ledger`,
    `${integer(AccountWord.codeAndFlags, 2)} AS code`,
    `${integer(AccountWord.codeAndFlags, 2, 2)} AS flags`,
    `${u64(AccountWord.timestamp)} AS timestamp`,
  ];
  return view('account', columns, 'account_row', ['rowid - 1 AS handle']);
}

export function transferView(): string {
  const columns = [
    `${bigEndianHex(TransferWord.id)} AS id`,
    `${bigEndianHex(TransferWord.debitAccountId)} AS debit_account_id`,
    `${bigEndianHex(TransferWord.creditAccountId)} AS credit_account_id`,
    `${amount(TransferWord.amount)} AS amount`,
    `${bigEndianHex(TransferWord.pendingId)} AS pending_id`,
    `${bigEndianHex(TransferWord.userData128)} AS user_data_128`,
    `${u64(TransferWord.userData64)} AS user_data_64`,
    `${integer(TransferWord.userData32, 4)} AS user_data_32`,
    `${integer(TransferWord.timeout, 4)} AS timeout`,
    `${integer(TransferWord.ledger, 4)} AS ledger`,
    `${integer(TransferWord.codeAndFlags, 2)} AS code`,
    `${integer(TransferWord.codeAndFlags, 2, 2)} AS flags`,
    `${u64(TransferWord.timestamp)} AS timestamp`,
    `${integer(TransferRowWord.leg, 2)} AS leg`,
    `${integer(TransferRowWord.leg, 2, 2)} AS other_unit`,
  ];
  return view('transfer', columns, 'transfer_row', ['transfer_row.timestamp AS row_timestamp']);
}

/** `bytes.b` holds all byte values in order: instr(b, x) - 1 is the number that the byte x stands for. */
function view(name: string, columns: string[], table: string, more: string[]): string {
  const all = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
  return `CREATE VIEW ${name} AS
    WITH bytes(b) AS (SELECT x'${all.join('')}')
    SELECT ${[...columns, ...more].join(',\n      ')}
    FROM ${table} CROSS JOIN bytes`;
}

/** The byte at a word and a byte inside it, as a blob. SQL counts from 1. */
function byteAt(word: number, byte: number): string {
  return `substr(row, ${word * WORD_BYTES + byte + 1}, 1)`;
}

function bigEndianHex(word: number): string {
  const bytes = Array.from({ length: 16 }, (_, byte) => `hex(${byteAt(word, 15 - byte)})`);
  return `lower(${bytes.join(' || ')})`;
}

function integer(word: number, byteCount: number, firstByte = 0): string {
  const terms = Array.from({ length: byteCount }, (_, byte) => {
    const value = `(instr(b, ${byteAt(word, firstByte + byte)}) - 1)`;
    return byte === 0 ? value : `(${value} << ${8 * byte})`;
  });
  return `(${terms.join(' + ')})`;
}

/** An integer where SQLite has one, that is below 2^63; else '0x...' text. */
function u64(word: number): string {
  const hex = Array.from({ length: 8 }, (_, byte) => `hex(${byteAt(word, 7 - byte)})`);
  return `CASE WHEN ${byteAt(word, 7)} < x'80' THEN ${integer(word, 8)}
      ELSE lower('0x' || ${hex.join(' || ')}) END`;
}

function amount(word: number): string {
  return `CASE WHEN substr(row, ${(word + 2) * WORD_BYTES + 1}, 8) = x'0000000000000000'
        AND ${byteAt(word, 7)} < x'80' THEN ${integer(word, 8)}
      ELSE '0x' || ${bigEndianHex(word)} END`;
}
