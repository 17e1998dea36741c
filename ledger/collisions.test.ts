import { describe, expect, it } from 'vitest';
import { IdIndex } from './id-index.ts';
import { AccountStatus, TransferStatus } from './status.ts';
import {
  type AccountFields,
  accountOf,
  idWords,
  type TransferFields,
  transferOf,
} from './testing/records.ts';
import { UnitUnderTest } from './testing/unit-under-test.ts';

/** Of the machine that keeps all in memory, of the one that forgets, and of that after a restart. */
const HASH_SEEDS = [1, 2, 3];
const IDS = 150_000;

/** Pairs of ids with one hash. */
function collisions(hashSeed: number): [bigint, bigint][] {
  const index = new IdIndex(hashSeed);
  const byHash = new Map<number, bigint>();
  const pairs: [bigint, bigint][] = [];
  for (let n = 1; n <= IDS; n += 1) {
    // Ids that differ in one word alone never have one hash.
    const id = BigInt(n) * 0x9e37_79b9_7f4a_7c15n;
    const hash = index.hashOf(idWords(id), 0);
    const other = byHash.get(hash);
    if (other !== undefined) pairs.push([other, id]);
    byHash.set(hash, id);
  }
  return pairs;
}

const pairsBySeed = HASH_SEEDS.map(collisions);
const pairs = pairsBySeed.flat();
const { created, exists } = TransferStatus;

/** Every event is a request of its own, so that all of them are folded and forgotten in between. */
function statuses(unit: UnitUnderTest, events: readonly TransferFields[]): number[] {
  return events.map((event) => {
    const [result] = unit.apply({ kind: 'transfers', events: [event], balances: false });
    unit.fold('once');
    return result!.status;
  });
}

describe('ids whose hashes are the same', () => {
  it('are there for every machine', () => {
    for (const found of pairsBySeed) expect(found.length).toBeGreaterThan(0);
  });

  it.each([0, 1_000])('are told apart, with %i transfers kept in memory', (residentMax) => {
    const unit = new UnitUnderTest(1, residentMax, { units: 1 });
    unit.initialise();
    const first = pairs.map(([id]) => accountOf({ id }));
    unit.apply({ kind: 'accounts', events: first, balances: false });
    const [debit, credit] = [pairs[0]![0], pairs[1]![0]];
    // The second of each pair is no account yet, and no transfer, though something has its hash.
    const missing = pairs.map(([, id], i) =>
      transferOf({ id: 10n ** 6n + BigInt(i), debit: id, credit }),
    );
    expect(new Set(statuses(unit, missing))).toEqual(
      new Set([TransferStatus.debit_account_not_found]),
    );
    const second = pairs.map(([, id]) => accountOf({ id }));
    unit.apply({ kind: 'accounts', events: second, balances: false });

    const pending = pairs.flat().map((id) => transferOf({ id, debit, credit, flags: 1 << 1 }));
    expect(new Set(statuses(unit, pending))).toEqual(new Set([created]));
    const posts = pairs.map(([id], i) =>
      transferOf({
        id: 2n * 10n ** 6n + BigInt(i),
        pendingId: id,
        debit,
        credit,
        flags: 1 << 2,
      }),
    );
    expect(new Set(statuses(unit, posts))).toEqual(new Set([created]));
    unit.checkReads(pairs.flat(), pairs.flat());
    // Of each pair one is resolved and one is not.
    const voids = pairs
      .flat()
      .map((id, i) =>
        transferOf({ id: 3n * 10n ** 6n + BigInt(i), pendingId: id, debit, credit, flags: 1 << 3 }),
      );
    unit.restart();
    const { pending_transfer_already_posted, pending_transfer_already_voided } = TransferStatus;
    expect(statuses(unit, voids)).toEqual(
      pairs.flatMap(() => [pending_transfer_already_posted, created]),
    );
    const late = voids.map((event) => ({ ...event, id: event.id + 10n ** 7n }));
    expect(statuses(unit, late)).toEqual(
      pairs.flatMap(() => [pending_transfer_already_posted, pending_transfer_already_voided]),
    );
    expect(new Set(statuses(unit, pending))).toEqual(new Set([exists]));
  });

  it('leave memory one by one when their chain is undone', () => {
    const unit = new UnitUnderTest(1, 1_000, { units: 1 });
    unit.initialise();
    const accounts = [1n, 2n].map((id) => accountOf({ id }));
    unit.apply({ kind: 'accounts', events: accounts, balances: false });
    const chain = pairs.map(([id]) => transferOf({ id, debit: 1n, credit: 2n, flags: 1 }));
    const last = transferOf({ id: 1n, debit: 1n, credit: 1n });
    const kept = pairs.map(([, id]) => transferOf({ id, debit: 1n, credit: 2n }));
    const apply = (events: readonly TransferFields[]) =>
      unit.apply({ kind: 'transfers', events, balances: false }).map(({ status }) => status);
    expect(new Set(apply(kept))).toEqual(new Set([created]));
    apply([...chain, last]);
    expect(new Set(apply(kept))).toEqual(new Set([exists]));
    const again = chain.map((event) => ({ ...event, flags: 0 }));
    expect(new Set(apply(again))).toEqual(new Set([created]));
  });

  it('leave memory one by one when a chain of accounts is undone', () => {
    const unit = new UnitUnderTest(1, 1_000, { units: 1 });
    unit.initialise();
    const apply = (events: readonly AccountFields[]) =>
      unit.apply({ kind: 'accounts', events, balances: false }).map(({ status }) => status);
    const kept = pairs.map(([id]) => accountOf({ id }));
    const others = pairs.map(([, id]) => accountOf({ id, flags: 1 }));
    expect(new Set(apply(kept))).toEqual(new Set([created]));
    apply([...others, accountOf({ id: 0n })]);
    expect(new Set(apply(kept))).toEqual(new Set([AccountStatus.exists]));
    expect(new Set(apply(others.map(({ id }) => accountOf({ id }))))).toEqual(new Set([created]));
  });
});
