import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Leg, RECORD_WORDS, TRANSFER_ROW_WORDS } from '../../../ledger/layout.ts';
import { EvenkeelError } from '../error.ts';
import { ReplyOutcome } from '../messages.ts';
import { packAccountTransfers, packTransferQuery } from '../reads/filter.ts';
import { readUnit } from '../reads/read-unit.ts';
import { legOf, rowTimestampOf } from '../reads/row.ts';
import { steps } from '../reads/testing/arbitrary.ts';
import { ModelUnit } from '../reads/testing/model.ts';
import { ALL, accountIdOf } from '../reads/testing/query.ts';
import type { RouterDone } from '../router.ts';
import type { AccountQuery } from './api.ts';
import type { GatewayContext } from './context.ts';
import { AccountPage, QueryPage } from './pages.ts';

/** Units that answer at once. */
function contextOf(units: readonly ModelUnit[]): GatewayContext {
  const request = (unit: number, kind: number, words: Uint32Array, done: RouterDone) => {
    const answer = readUnit(units[unit - 1]!, kind, words);
    queueMicrotask(() => done(ReplyOutcome.done, answer));
    return { cancel: () => {} };
  };
  return {
    router: { request },
    unitOf: () => 1,
    units: () => units.map((_, i) => i + 1),
    nowMs: () => 0,
    later: (_dueMs: number, callback: () => void) => queueMicrotask(callback),
  } as unknown as GatewayContext;
}

interface Page {
  readonly words: Uint32Array;
  readonly token: Uint8Array;
}

function pageOf(
  units: readonly ModelUnit[],
  query: AccountQuery,
  token: Uint8Array,
): Promise<Page> {
  return new Promise((resolve) => {
    const filter = packTransferQuery(query);
    new QueryPage(contextOf(units), 'transfers', { filter, token }, (_error, words, next) =>
      resolve({ words, token: next }),
    );
  });
}

/** (unit, row timestamp) of rows, told apart by unit through the low bits. */
function keysOf({ words }: Page): bigint[] {
  return Array.from({ length: words.length / TRANSFER_ROW_WORDS }, (_, i) =>
    rowTimestampOf(words.subarray(i * TRANSFER_ROW_WORDS, (i + 1) * TRANSFER_ROW_WORDS)),
  );
}

/** Three units whose timestamps differ in their rest by 3. */
function unitsOf(lengths: readonly Parameters<ModelUnit['run']>[0][]): ModelUnit[] {
  return lengths.map((taken, i) => {
    const unit = new ModelUnit(3n, BigInt(9_999 + i));
    return unit.run(taken).foldTo(Math.floor(taken.length / 2));
  });
}

const listed = (units: readonly ModelUnit[]): bigint[] =>
  units
    .flatMap(({ booked }) => booked.map(({ row }) => row))
    .filter((row) => legOf(row) === Leg.both || legOf(row) === Leg.home)
    .map(rowTimestampOf)
    .sort((a, b) => Number(a - b));

describe('pages over units', () => {
  it('give every row once and in order, while nothing is booked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(steps(40), steps(25), steps(10)),
        fc.boolean(),
        fc.integer({ min: 1, max: 15 }),
        async (taken, reversed, limit) => {
          const units = unitsOf(taken);
          const seen: bigint[] = [];
          let token = new Uint8Array(0) as Uint8Array;
          do {
            const page = await pageOf(units, { ...ALL, reversed, limit }, token);
            expect(keysOf(page).length).toBeLessThanOrEqual(limit);
            seen.push(...keysOf(page));
            token = page.token;
          } while (token.length > 0);
          const wanted = listed(units);
          expect(seen).toEqual(reversed ? wanted.reverse() : wanted);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave out nothing and repeat nothing while units book on, some behind the others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(steps(30), steps(20), steps(5)),
        fc.array(fc.tuple(fc.nat({ max: 2 }), steps(6)), { maxLength: 6 }),
        fc.boolean(),
        async (taken, later, reversed) => {
          const units = unitsOf(taken);
          const before = listed(units);
          const seen: bigint[] = [];
          let token = new Uint8Array(0) as Uint8Array;
          do {
            const page = await pageOf(units, { ...ALL, reversed, limit: 7 }, token);
            seen.push(...keysOf(page));
            token = page.token;
            const [unit, more] = later.shift() ?? [0, []];
            units[unit]!.run(more);
          } while (token.length > 0);
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toEqual(expect.arrayContaining(before));
          if (reversed) expect(seen).toHaveLength(before.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of an account go on where the last one ended', async () => {
    const unit = unitsOf([
      Array.from({ length: 30 }, (_, pick) => {
        return { kind: 'plain' as const, debit: pick, credit: 0, amount: pick, pick };
      }),
    ])[0]!;
    const filter = packAccountTransfers({ ...ALL, limit: 4, accountId: accountIdOf(1) });
    const seen: bigint[] = [];
    let token = new Uint8Array(0) as Uint8Array;
    do {
      const page = await new Promise<Page>((resolve) => {
        new AccountPage(contextOf([unit]), { filter, token }, (_error, words, next) =>
          resolve({ words, token: next }),
        );
      });
      seen.push(...keysOf({ ...page, words: page.words.subarray(RECORD_WORDS) }));
      token = page.token;
    } while (token.length > 0);
    expect(seen).toEqual(unit.historyOf(1).map(({ row }) => rowTimestampOf(row)));
  });

  it('refuse the token of another query', async () => {
    const units = unitsOf([[{ kind: 'plain', debit: 0, credit: 0, amount: 1, pick: 0 }]]);
    const { token } = await pageOf(units, { ...ALL, limit: 1 }, new Uint8Array(0));
    expect(token.length).toBeGreaterThan(0);
    const filter = packTransferQuery({ ...ALL, code: 2 });
    expect(() => new QueryPage(contextOf(units), 'transfers', { filter, token }, () => {})).toThrow(
      EvenkeelError,
    );
  });
});
