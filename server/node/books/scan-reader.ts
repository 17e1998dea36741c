import type { Statement } from 'better-sqlite3';
import { PendingState, TransferRowWord } from '../../../ledger/layout.ts';
import type { ScanQuery } from '../../core/books.ts';
import { assertScan, isInScan } from '../../core/books-scan.ts';
import type { CheckedFile } from './checked-file.ts';
import type { RowReader } from './row-reader.ts';

type Kind = ScanQuery['source']['kind'];
type Found = [lo: number, hi: number, row: Uint8Array | null];

/** Where each kind of scan finds its rows, in order of their timestamps. */
const SOURCES: Record<Kind, string> = {
  all: 'FROM transfer_row AS source WHERE true',
  userData: `FROM user_data AS source LEFT JOIN transfer_row USING (timestamp)
    WHERE bits = :bits AND value = :value`,
  pending: `FROM pending_row AS source INDEXED BY pending_unresolved
    LEFT JOIN transfer_row USING (timestamp) WHERE state = ${PendingState.pending}`,
};
const TABLES: Record<Kind, string> = {
  all: 'transfer_row',
  userData: 'user_data',
  pending: 'pending_row',
};

const TIMESTAMP_MAX = 2n ** 63n - 1n;

/** Reads runs of rows of a unit, whatever their accounts. */
export class ScanReader {
  readonly #file: CheckedFile;
  readonly #rows: RowReader;
  /** By kind and direction, made when first asked for. */
  readonly #statements = new Map<string, Statement>();

  constructor(file: CheckedFile, rows: RowReader) {
    this.#file = file;
    this.#rows = rows;
  }

  scan(query: ScanQuery): Uint32Array[] {
    assertScan(query);
    const { source, fromTimestamp, toTimestamp, reversed, limit } = query;
    if (fromTimestamp > TIMESTAMP_MAX || limit <= 0) return [];
    const table = TABLES[source.kind];
    const bound = {
      from: fromTimestamp,
      to: toTimestamp < TIMESTAMP_MAX ? toTimestamp : TIMESTAMP_MAX,
      limit,
      ...(source.kind === 'userData' && {
        bits: source.bits,
        value: Buffer.from(source.value.toString(16).padStart(source.bits / 4, '0'), 'hex'),
      }),
    };
    const statement = this.#statement(source.kind, reversed);
    const all = this.#file.reading(table, () => statement.all(bound)) as Found[];
    return all.map(([lo, hi, blob]) => {
      const row = this.#rows.transfer(blob, lo, hi);
      if (isInScan(row, source)) return row;
      const timestamp = row[TransferRowWord.rowTimestamp];
      throw this.#file.damage(
        table,
        `an entry leads to row ${timestamp}, which is none of its own`,
      );
    });
  }

  #statement(kind: Kind, reversed: boolean): Statement {
    const key = `${kind} ${reversed}`;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const order = reversed ? 'DESC' : 'ASC';
    const statement = this.#file.database
      .prepare(
        `SELECT source.timestamp & 0xffffffff, source.timestamp >> 32, row ${SOURCES[kind]}
         AND source.timestamp BETWEEN :from AND :to ORDER BY source.timestamp ${order} LIMIT :limit`,
      )
      .raw();
    this.#statements.set(key, statement);
    return statement;
  }
}
