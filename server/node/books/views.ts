import {
  AccountWord,
  Leg,
  PendingState,
  TransferRowWord,
  TransferWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';

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
    'rowid - 1 AS handle',
  ];
  return view('account', columns, 'account_row');
}

/** Two bytes of a row, and those of a given leg. */
const LEG = `substr(row, ${TransferRowWord.leg * WORD_BYTES + 1}, 2)`;
const legBytes = (leg: number): string => `x'0${leg}00'`;

/** Words for a pending state; NULL where there is none. */
const STATE = `CASE pending_row.state ${Object.entries(PendingState)
  .filter(([, state]) => state !== PendingState.none)
  .map(([name, state]) => `WHEN ${state} THEN '${name}'`)
  .join(' ')} END`;

const TRANSFER_COLUMNS = [
  `${bigEndianHex(TransferWord.id)} AS id`,
  `${bigEndianHex(TransferWord.debitAccountId)} AS debit_account_id`,
  `${bigEndianHex(TransferWord.creditAccountId)} AS credit_account_id`,
  `${amount(TransferWord.amount)} AS amount`,
];

/** Transfers alone: rows that only move pending amounts are left out. */
export function transferView(): string {
  const columns = [
    ...TRANSFER_COLUMNS,
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
    `${STATE} AS pending_state`,
    'transfer_row.timestamp AS row_timestamp',
  ];
  const states = 'LEFT JOIN pending_row ON pending_row.timestamp = transfer_row.timestamp';
  const legs = [Leg.both, Leg.home, Leg.far].map(legBytes).join(', ');
  return view('transfer', columns, 'transfer_row', `${states} WHERE ${LEG} IN (${legs})`);
}

/** Pending transfers and what became of each. */
export function pendingView(): string {
  const columns = [
    ...TRANSFER_COLUMNS,
    `${STATE} AS state`,
    'pending_row.timestamp AS timestamp',
    'nullif(deadline, 0) AS deadline',
    'nullif(resolved, 0) AS resolved_timestamp',
  ];
  const rows = 'LEFT JOIN transfer_row ON transfer_row.timestamp = pending_row.timestamp';
  return view('pending', columns, 'pending_row', rows);
}

/** Expiries of pending transfers; `id` is the pending transfer's. */
export function expiryView(): string {
  const columns = [
    'transfer_row.timestamp AS timestamp',
    ...TRANSFER_COLUMNS,
    `${u64(TransferWord.timestamp)} AS pending_timestamp`,
  ];
  return view('expiry', columns, 'transfer_row', `WHERE ${LEG} = ${legBytes(Leg.expiry)}`);
}

/** `bytes.b` holds all byte values in order: instr(b, x) - 1 is the number that the byte x stands for. */
function view(name: string, columns: string[], table: string, rest = ''): string {
  const all = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
  return `CREATE VIEW ${name} AS
    WITH bytes(b) AS (SELECT x'${all.join('')}')
    SELECT ${columns.join(',\n      ')}
    FROM ${table} CROSS JOIN bytes ${rest}`;
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
