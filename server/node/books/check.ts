import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AccountWord, Leg, RECORD_WORDS, TransferRowWord } from '../../../ledger/layout.ts';

export interface BooksCheck {
  readonly zonesEqual: boolean;
  readonly debitsEqualCredits: boolean;
  readonly acknowledgedLost: number;
  readonly duplicates: number;
}

/** High half of the ids of clearing accounts. */
const CLEARING_PARTY = 2n ** 64n - 1n;

/** All that they hold, but for how far the books have got: an idle entry moves no money. */
const TABLES = [
  'SELECT rowid, id, row FROM account_row ORDER BY rowid',
  'SELECT timestamp, row FROM transfer_row ORDER BY timestamp',
  'SELECT id, timestamp, burnt FROM transfer_id ORDER BY id',
  'SELECT timestamp, state, deadline, resolved FROM pending_row ORDER BY timestamp',
  'SELECT timestamp, amount FROM requested_row ORDER BY timestamp',
  'SELECT bits, value, timestamp FROM user_data ORDER BY bits, value, timestamp',
  'SELECT account, timestamp, balances FROM history ORDER BY account, timestamp',
  'SELECT far_unit, sequence, row FROM opened ORDER BY far_unit, sequence',
  'SELECT home_unit, sequence, row FROM decision ORDER BY home_unit, sequence',
  'SELECT other_unit, row FROM channel ORDER BY other_unit',
] as const;

/**
 * Reads the SQLite files of every zone, as anyone can, without the servers: are they the same, do debits
 * equal credits in each unit and over all accounts but the clearing accounts, and does every acknowledged id stand in
 * them once?
 */
export function checkBooks(
  folders: readonly string[],
  units: number,
  acknowledged: readonly bigint[],
): BooksCheck {
  const zones = folders.map((folder) => readZone(folder, units));
  const lost = zones.map(({ seen }) => acknowledged.filter((id) => !seen.has(id)).length);
  const doubled = zones.map(({ seen }) => [...seen.values()].filter((times) => times > 1).length);
  return {
    zonesEqual: zones.every((zone) => zone.digest === zones[0]!.digest),
    debitsEqualCredits: zones.every((zone) => zone.balanced),
    acknowledgedLost: Math.max(0, ...lost),
    duplicates: Math.max(0, ...doubled),
  };
}

interface ZoneBooks {
  readonly digest: string;
  readonly balanced: boolean;
  /** How often each transfer stands in the zone, its far legs not counted. */
  readonly seen: Map<bigint, number>;
}

function readZone(folder: string, units: number): ZoneBooks {
  const digest = createHash('sha256');
  const seen = new Map<bigint, number>();
  let balanced = true;
  let ownDebits = 0n;
  for (let unit = 1; unit <= units; unit += 1) {
    const books = new Database(join(folder, `unit-${unit}.sqlite`), { readonly: true });
    for (const sql of TABLES) {
      for (const row of books.prepare(sql).raw().safeIntegers().iterate() as Iterable<unknown[]>) {
        for (const value of row)
          digest.update(Buffer.isBuffer(value) ? value : `${String(value)};`);
      }
    }
    const sums = sumAccounts(books);
    balanced &&= sums.posted === 0n && sums.pending === 0n;
    ownDebits += sums.own;
    countTransfers(books, seen);
    books.close();
  }
  // A unit's clearing accounts balance it by themselves; without them only all units together can.
  balanced &&= ownDebits === 0n;
  return { digest: digest.digest('hex'), balanced, seen };
}

/** Debits - credits of a unit: posted, pending, and posted without the clearing accounts. */
function sumAccounts(books: Database.Database): { posted: bigint; pending: bigint; own: bigint } {
  let posted = 0n;
  let pending = 0n;
  let own = 0n;
  for (const row of rowsOf(books, 'account_row')) {
    const debits = u128At(row, AccountWord.debitsPosted) - u128At(row, AccountWord.creditsPosted);
    posted += debits;
    pending += u128At(row, AccountWord.debitsPending) - u128At(row, AccountWord.creditsPending);
    if (u128At(row, AccountWord.id) >> 64n !== CLEARING_PARTY) own += debits;
  }
  return { posted, pending, own };
}

function countTransfers(books: Database.Database, seen: Map<bigint, number>): void {
  for (const row of rowsOf(books, 'transfer_row')) {
    const leg = row.readUInt32LE(TransferRowWord.leg * 4) & 0xffff;
    // A crossing's far leg, and rows that are no transfers.
    if (leg >= Leg.far) continue;
    const id = u128At(row, 0);
    seen.set(id, (seen.get(id) ?? 0) + 1);
  }
}

function* rowsOf(books: Database.Database, table: string): Generator<Buffer> {
  for (const row of books
    .prepare(`SELECT row FROM ${table}`)
    .pluck()
    .iterate() as Iterable<Buffer>) {
    if (row.length < RECORD_WORDS * 4)
      throw new Error(`${table} holds a row of ${row.length} bytes`);
    yield row;
  }
}

function u128At(row: Buffer, word: number): bigint {
  return row.readBigUInt64LE(word * 4) | (row.readBigUInt64LE(word * 4 + 8) << 64n);
}
