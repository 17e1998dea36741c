import type { Database, Statement } from 'better-sqlite3';
import { CLOSED_ROW_WORDS, type Fold } from '../../../ledger/fold.ts';
import {
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
  REQUESTED_ROW_WORDS,
  TRANSFER_ROW_WORDS,
} from '../../../ledger/layout.ts';
import { assertDenseHandles, assertFold, wrongIndex } from '../../core/books-fold.ts';
import { u64At } from '../../core/books-row.ts';
import { addSums, burntSum, historySum, requestedSum } from '../../core/books-sum.ts';
import { BulkTables } from './bulk.ts';
import { BulkPending } from './bulk-pending.ts';
import { BulkUserData } from './bulk-user-data.ts';
import { addNumbers, checkpointIfDue, limitWriterCache, openToWrite } from './connection.ts';
import { readMeta, writeMeta } from './schema.ts';
import { sealRows } from './sealed.ts';

/** Writes one unit's file, in the storage thread. */
export class BooksWriter {
  readonly #unit: number;
  readonly #database: Database;
  readonly #bulk: BulkTables;
  readonly #pending: BulkPending;
  readonly #userData: BulkUserData;
  readonly #accountCount: Statement;
  readonly #putOpened: Statement;
  readonly #dropOpened: Statement;
  readonly #putDecision: Statement;
  readonly #dropDecisions: Statement;
  readonly #putChannel: Statement;

  constructor(file: string, unit: number) {
    this.#unit = unit;
    const database = openToWrite(file);
    addNumbers(database);
    this.#database = database;
    this.#bulk = new BulkTables(database);
    this.#pending = new BulkPending(database);
    this.#userData = new BulkUserData(database);
    this.#accountCount = database
      .prepare('SELECT coalesce(max(rowid), 0) FROM account_row')
      .pluck();
    this.#putOpened = database.prepare('INSERT INTO opened VALUES (?, ?, ?)');
    this.#dropOpened = database.prepare('DELETE FROM opened WHERE far_unit = ? AND sequence = ?');
    this.#putDecision = database.prepare('INSERT INTO decision VALUES (?, ?, ?)');
    this.#dropDecisions = database.prepare(
      'DELETE FROM decision WHERE home_unit = ? AND sequence <= ?',
    );
    this.#putChannel = database.prepare('INSERT OR REPLACE INTO channel VALUES (?, ?)');
  }

  /** Durable when it returns; nothing of the fold is left when it throws. Uses the fold up. */
  commit(fold: Fold): void {
    assertFold(fold, this.#unit);
    this.#database.transaction(() => this.#write(fold)).immediate();
  }

  /** There are so many open writers in this process. */
  shareCache(writers: number): void {
    limitWriterCache(this.#database, writers);
  }

  /** Between commits, after `done` was sent. */
  checkpointIfDue(): void {
    checkpointIfDue(this.#database);
  }

  close(): void {
    this.#database.close();
  }

  #write(fold: Fold): void {
    const meta = readMeta(this.#database);
    if (meta.index !== fold.afterIndex) throw wrongIndex(fold, meta.index);
    assertDenseHandles(fold, this.#accountCount.get() as number);
    this.#bulk.putAccounts(fold.accounts);
    const sum = this.#bulk.insertTransfers(fold.transfers);
    this.#userData.insert(fold.transfers);
    this.#pending.putPendings(fold.pendings);
    this.#pending.insertRequested(fold.requested);
    this.#bulk.insertBurnt(fold.burnt);
    this.#bulk.insertHistory(fold.history);
    const decisions = this.#writeCrossings(fold);
    const { slots } = fold;
    writeMeta(this.#database, {
      ...meta,
      index: fold.throughIndex,
      term: fold.throughTerm,
      lastTimestamp: fold.lastTimestamp,
      digest: fold.digest,
      transferCount: meta.transferCount + fold.transfers.length / TRANSFER_ROW_WORDS,
      requestedCount: meta.requestedCount + fold.requested.length / REQUESTED_ROW_WORDS,
      burntCount: meta.burntCount + fold.burnt.length / BURNT_ROW_WORDS,
      decisionCount: meta.decisionCount + decisions,
      rowSum: addSums(meta.rowSum, sum, requestedSum(fold.requested), historySum(fold.history)),
      burntSum: addSums(meta.burntSum, burntSum(fold.burnt)),
      membership: fold.membership ?? meta.membership,
      slots: slots ? new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength) : meta.slots,
    });
  }

  /** By how many there are more decisions now. */
  #writeCrossings({ opened, closed, decisions, channels }: Fold): number {
    let added = decisions.length / DECISION_ROW_WORDS;
    for (let at = 0; at < closed.length; at += CLOSED_ROW_WORDS) {
      const key = [closed[at], u64At(closed, at + OpenRowWord.sequence)];
      if (this.#dropOpened.run(key).changes !== 1) throw new Error('no such crossing is open');
    }
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      const sequence = u64At(opened, at + OpenRowWord.sequence);
      const row = sealRows(opened.subarray(at, at + OPEN_ROW_WORDS), OPEN_ROW_WORDS);
      this.#putOpened.run(opened[at + OpenRowWord.farUnit], sequence, row);
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      const sequence = u64At(decisions, at + DecisionRowWord.sequence);
      const row = sealRows(decisions.subarray(at, at + DECISION_ROW_WORDS), DECISION_ROW_WORDS);
      this.#putDecision.run(decisions[at + DecisionRowWord.homeUnit], sequence, row);
    }
    for (let at = 0; at < channels.length; at += CHANNEL_ROW_WORDS) {
      const otherUnit = channels[at + ChannelRowWord.otherUnit];
      this.#putChannel.run(
        otherUnit,
        sealRows(channels.subarray(at, at + CHANNEL_ROW_WORDS), CHANNEL_ROW_WORDS),
      );
      const forgotten = u64At(channels, at + ChannelRowWord.forgottenThrough);
      added -= this.#dropDecisions.run(otherUnit, forgotten).changes;
    }
    return added;
  }
}
