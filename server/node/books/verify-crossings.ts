import {
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  Leg,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { legOf, u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { RowReader } from './row-reader.ts';
import { unsealRow } from './sealed.ts';
import { recordOf, rowName } from './verify-chunk.ts';
import { differ, mustEqual } from './verify-difference.ts';
import { firstUnequal } from './verify-words.ts';

/** Status of a decision that credited. */
const CREATED = 0xffff_ffff;

interface Hold {
  readonly farUnit: number;
  readonly record: Uint32Array;
}

/** Holds that nothing has settled are the open crossings; the channels have given out one sequence a hold. */
export class CrossingCheck {
  readonly #file: CheckedFile;
  /** Unsettled, by row timestamp. */
  readonly #open = new Map<bigint, Hold>();
  /** How many holds there were, by far unit. */
  readonly #holds = new Map<number, number>();
  /** Units that have sent something here. */
  readonly #homeUnits = new Set<number>();

  constructor(file: CheckedFile) {
    this.#file = file;
  }

  /** One row of any leg. */
  check(rows: Uint32Array, at: number): void {
    const leg = legOf(rows, at);
    const otherUnit = rows[at + TransferRowWord.leg]! >>> 16;
    if (leg === Leg.far) this.#homeUnits.add(otherUnit);
    if (leg === Leg.hold) {
      this.#holds.set(otherUnit, (this.#holds.get(otherUnit) ?? 0) + 1);
      const timestamp = u64At(rows, at + TransferRowWord.rowTimestamp);
      this.#open.set(timestamp, { farUnit: otherUnit, record: recordOf(rows, at).slice() });
    }
    if (leg === Leg.home || leg === Leg.release) this.#settle(rows, at, otherUnit);
  }

  finish(decisionCount: number): void {
    const channels = this.#channels();
    this.#checkOpened(channels);
    this.#checkDecisions(channels, decisionCount);
  }

  #settle(rows: Uint32Array, at: number, farUnit: number): void {
    const timestamp = u64At(rows, at + TransferWord.timestamp);
    const hold = this.#open.get(timestamp);
    const expected = `the record of the open hold of row ${timestamp}`;
    const name = rowName(rows, at);
    if (hold === undefined) differ('transfer_row', name, expected, 'no such hold');
    if (hold.farUnit !== farUnit || firstUnequal(rows, at, hold.record, 0, RECORD_WORDS) >= 0) {
      differ('transfer_row', name, expected, 'another record');
    }
    this.#open.delete(timestamp);
  }

  /** By other unit. */
  #channels(): Map<number, Uint32Array> {
    const channels = new Map<number, Uint32Array>();
    for (const { key, row } of this.#sealed('channel', ['other_unit'], CHANNEL_ROW_WORDS)) {
      const otherUnit = row[ChannelRowWord.otherUnit]!;
      mustEqual('channel', `other_unit ${key} row`, key, String(otherUnit));
      const last = u64At(row, ChannelRowWord.lastSequence);
      const holds = this.#holds.get(otherUnit) ?? 0;
      mustEqual('channel', `other_unit ${key} lastSequence`, BigInt(holds), last);
      channels.set(otherUnit, row);
    }
    for (const unit of [...this.#holds.keys(), ...this.#homeUnits]) {
      if (!channels.has(unit)) differ('channel', `other_unit ${unit}`, 'a channel', 'no row');
    }
    return channels;
  }

  #checkOpened(channels: Map<number, Uint32Array>): void {
    for (const { key, row } of this.#sealed('opened', ['far_unit', 'sequence'], OPEN_ROW_WORDS)) {
      const farUnit = row[OpenRowWord.farUnit]!;
      const sequence = u64At(row, OpenRowWord.sequence);
      mustEqual('opened', `(far_unit, sequence) ${key} row`, key, `${farUnit}, ${sequence}`);
      const timestamp = u64At(row, OpenRowWord.record + TransferWord.timestamp);
      const hold = this.#open.get(timestamp);
      const name = `(far_unit, sequence) ${key}`;
      const expected = `an open hold, as of row ${timestamp}`;
      if (hold?.farUnit !== farUnit) differ('opened', name, expected, 'none in the rows');
      const word = firstUnequal(row, OpenRowWord.record, hold.record, 0, RECORD_WORDS);
      if (word >= 0) differ('opened', name, expected, 'another record');
      const last = u64At(channels.get(farUnit)!, ChannelRowWord.lastSequence);
      if (sequence > last) differ('opened', name, `a sequence up to ${last}`, sequence);
      this.#open.delete(timestamp);
    }
    for (const [timestamp, { farUnit }] of this.#open) {
      const expected = `the open hold of row ${timestamp}`;
      differ('opened', `far_unit ${farUnit}`, expected, 'no row');
    }
  }

  #checkDecisions(channels: Map<number, Uint32Array>, decisionCount: number): void {
    const rows = new RowReader(this.#file);
    let count = 0;
    const keys = ['home_unit', 'sequence'];
    for (const { key, row } of this.#sealed('decision', keys, DECISION_ROW_WORDS)) {
      const homeUnit = row[DecisionRowWord.homeUnit]!;
      const sequence = u64At(row, DecisionRowWord.sequence);
      const name = `(home_unit, sequence) ${key}`;
      mustEqual('decision', `${name} row`, key, `${homeUnit}, ${sequence}`);
      const channel = channels.get(homeUnit);
      if (channel === undefined) differ('channel', `other_unit ${homeUnit}`, 'a channel', 'no row');
      const forgotten = u64At(channel, ChannelRowWord.forgottenThrough);
      if (sequence <= forgotten) differ('decision', name, `a sequence past ${forgotten}`, sequence);
      if (row[DecisionRowWord.status] === CREATED) checkCredit(rows, row, name);
      count += 1;
    }
    mustEqual('meta', 'decision_count', count, decisionCount);
  }

  /** All rows of a small table, by key, each sound in itself. */
  #sealed(
    table: string,
    keys: readonly string[],
    rowWords: number,
  ): { key: string; row: Uint32Array }[] {
    const columns = keys.join(', ');
    const sql = `SELECT ${columns}, row FROM ${table} ORDER BY ${columns}`;
    const all = this.#file.database.prepare(sql).raw().safeIntegers();
    const stored = this.#file.reading(table, () => all.all()) as (bigint | Uint8Array)[][];
    return stored.map((values) => {
      const key = values.slice(0, -1).join(', ');
      const row = unsealRow(values.at(-1) as Uint8Array, rowWords);
      if (row !== null) return { key, row };
      return differ(
        table,
        `(${columns}) ${key}`,
        'a row that fits its CRC-32',
        'one that fails it',
      );
    });
  }
}

/** A decision that credited has booked the far leg of its home unit at its time. */
function checkCredit(rows: RowReader, decision: Uint32Array, name: string): void {
  const { timestamp } = DecisionRowWord;
  const [row] = rows.rowsAt(decision.slice(timestamp, timestamp + 2));
  const leg = (Leg.far | (decision[DecisionRowWord.homeUnit]! << 16)) >>> 0;
  if (row !== undefined && row !== null && row[TransferRowWord.leg] === leg) return;
  const time = u64At(decision, timestamp);
  differ('decision', name, `a credit from that unit in row ${time}`, 'none');
}
