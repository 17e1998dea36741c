import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BALANCES_WORDS,
  PendingState,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import type { BooksUnderTest } from '../books.conformance.ts';
import { Feed } from '../feed/feed.ts';
import { accountBalance } from './account-balance.ts';
import { accountTransfers } from './account-transfers.ts';
import { packAccountTransfers, packTransferQuery } from './filter.ts';
import { lookupTransfers } from './look-ups.ts';
import { unpackPage } from './page.ts';
import { queryTransfers } from './query-transfers.ts';
import { putU64, rowTimestampOf } from './row.ts';
import { steps } from './testing/arbitrary.ts';
import { DrivenUnit } from './testing/driven-unit.ts';
import type { Step } from './testing/model.ts';
import { ALL, fourOf } from './testing/query.ts';

const UNIT = 1;

/** Reads over a real machine and real books, against what the machine itself said at every moment. */
export function describeReads(
  name: string,
  make: () => BooksUnderTest,
  runs: { readonly count: number; readonly steps: number },
): void {
  describe(`reads over ${name}`, () => {
    const drive = async (taken: readonly Step[], everyFold: number): Promise<DrivenRun> => {
      const host = make();
      const unit = new DrivenUnit(host.open(UNIT));
      for (const [i, step] of taken.entries()) {
        unit.take(step);
        if (i % everyFold === 0) await new Promise<void>((resolve) => unit.fold(resolve));
      }
      return { unit, dispose: () => host.dispose() };
    };
    const check = (test: (unit: DrivenUnit) => void) =>
      fc.assert(
        fc.asyncProperty(
          steps(runs.steps),
          fc.integer({ min: 1, max: runs.steps }),
          async (taken, everyFold) => {
            const { unit, dispose } = await drive(taken, everyFold);
            try {
              test(unit);
            } finally {
              await dispose();
            }
          },
        ),
        { numRuns: runs.count },
      );

    it('tell every balance at every time', () =>
      check((unit) => {
        unit.accounts.forEach((id, handle) => {
          for (const { timestamp, balances } of unit.snapshots) {
            const query = new Uint32Array(8);
            query.set(id);
            putU64(query, 4, timestamp);
            expect(fourOf(accountBalance(unit, query))).toEqual(balances[handle]);
          }
        });
      }));

    it('give the balances after each transfer of an account, in both directions', () =>
      check((unit) => {
        const after = new Map(unit.snapshots.map((one) => [one.timestamp, one.balances]));
        unit.accounts.forEach((accountId, handle) => {
          const lists = [false, true].map((reversed) => {
            const query = { ...ALL, accountId, balances: true, reversed };
            const words = accountTransfers(unit, packAccountTransfers(query));
            const { rows } = unpackPage(words, RECORD_WORDS, TRANSFER_ROW_WORDS + BALANCES_WORDS);
            for (const row of rows) {
              const balances = after.get(rowTimestampOf(row))![handle];
              expect(fourOf(row, TRANSFER_ROW_WORDS)).toEqual(balances);
            }
            return rows;
          });
          expect(lists[1]!.toReversed()).toEqual(lists[0]);
        });
      }));

    it('feed events with the balances of that moment', () =>
      check((unit) => {
        const after = new Map(unit.snapshots.map((one) => [one.timestamp, one.balances]));
        const limits = { events: 7, walks: 2, accounts: 2 };
        const feed = new Feed(UNIT, unit, { account: 0n, row: 0n }, limits);
        const timestamps: bigint[] = [];
        while (feed.hasNews) {
          for (const event of feed.next()) {
            const row = event.transfer ?? event.pending;
            if (row === null) continue;
            timestamps.push(event.timestamp);
            const handleOf = (word: number) =>
              unit.accounts.findIndex((id) => id.every((value, i) => row[word + i] === value));
            const moment = after.get(event.timestamp)!;
            const { debitBalances, creditBalances } = event;
            const [debit, credit] = [
              handleOf(TransferWord.debitAccountId),
              handleOf(TransferWord.creditAccountId),
            ];
            expect(debitBalances && fourOf(debitBalances)).toEqual(moment[debit] ?? null);
            expect(creditBalances && fourOf(creditBalances)).toEqual(moment[credit] ?? null);
          }
        }
        expect(timestamps).toEqual([...timestamps].sort((a, b) => Number(a - b)));
      }));

    it('agree with each other on transfers, their states and their user data', () =>
      check((unit) => {
        const all = rowsOf(unit, ALL);
        const ids = all.flatMap((row) => [...row.subarray(0, 4)]);
        const found = lookupTransfers(unit, Uint32Array.from(ids));
        const listed = all.flatMap((row) => [...row]);
        expect([...found]).toEqual(listed);
        for (let userData64 = 0n; userData64 < 5n; userData64 += 1n) {
          const wanted = all.filter((row) => BigInt(row[TransferWord.userData64]!) === userData64);
          expect(rowsOf(unit, { ...ALL, userData64 })).toEqual(wanted);
        }
        for (const pendingState of Object.values(PendingState)) {
          if (pendingState === PendingState.none) continue;
          const wanted = all.filter((row) => row[TransferRowWord.pendingState] === pendingState);
          expect(rowsOf(unit, { ...ALL, pendingState })).toEqual(wanted);
        }
      }));
  });
}

interface DrivenRun {
  readonly unit: DrivenUnit;
  readonly dispose: () => Promise<void>;
}

function rowsOf(unit: DrivenUnit, query: Parameters<typeof packTransferQuery>[0]): Uint32Array[] {
  const words = queryTransfers(unit, packTransferQuery(query));
  return unpackPage(words, 0, TRANSFER_ROW_WORDS).rows.map((row) => row.slice());
}
