import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from './invariant.ts';
import { isUpToDate, RaftLog } from './log.ts';
import { NO_MEMBERS } from './membership.ts';
import { ArrayLog, encode, entriesOf } from './testing/node.ts';
import type { Entry } from './types.ts';

/** The same bytes for the same index and term, so that an entry may go and come back. */
function entry(term: number, index: number): Entry {
  return { term, index, kind: 1, payload: encode(`${term}${'x'.repeat(index % 5)}`) };
}

const QUOTA = 9;

/** The log beside a plain array, and a disk that gets the writes one after the other. */
class Model {
  readonly store: ArrayLog;
  readonly log: RaftLog;
  readonly array: Entry[];
  readonly writes: { entries: readonly Entry[]; report: { term: number; index: number } }[] = [];
  readonly committed: Entry[] = [];
  #outputs = 0;

  constructor(terms: readonly number[]) {
    this.array = terms.map((term, i) => entry(term, i + 1));
    this.store = new ArrayLog(this.array);
    this.log = new RaftLog(this.store, NO_MEMBERS, 0, 0, QUOTA);
  }

  append(term: number): void {
    const made = entry(term, this.array.length + 1);
    this.array.push(made);
    this.log.append(made);
  }

  /** `back` from the end, but never below the commit. */
  merge(back: number, terms: readonly number[]): void {
    const prev = Math.max(this.array.length - back, this.log.commit);
    const entries = terms.map((term, i) => entry(term, prev + 1 + i));
    const at = entries.findIndex(({ index, term }) => this.array[index - 1]?.term !== term);
    if (at >= 0) {
      this.array.length = prev + at;
      this.array.push(...entries.slice(at));
    }
    expect(this.log.merge(entries)).toBe(at < 0 ? 0 : prev + 1 + at);
  }

  takeWrite(): void {
    const entries = this.log.takeUnwritten();
    if (!this.log.hasUnstable()) return;
    // Terms that repeat make the values of writes ambiguous on purpose.
    this.writes.push({ entries, report: this.log.beginWrite(this.#outputs++ >> 2) });
  }

  endWrite(): void {
    const write = this.writes.shift();
    if (write === undefined) return;
    this.store.write(write.entries);
    this.log.endWrite(write.report.term, write.report.index);
  }

  apply(): void {
    const outstanding = this.committed.slice(this.log.applied);
    const bytes = outstanding.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    const entries = this.log.takeCommitted();
    // One entry may go over the quota, nothing after it.
    const size = entries.slice(0, -1).reduce((sum, { payload }) => sum + payload.byteLength, 0);
    if (entries.length > 0 && bytes + size > 0) expect(bytes + size).toBeLessThan(QUOTA);
    this.committed.push(...entries);
  }

  check(): void {
    const { log, array } = this;
    expect(log.lastIndex()).toBe(array.length);
    expect(log.term(0)).toBe(0);
    for (const { index, term } of array) expect(log.term(index)).toBe(term);
    // What counts as durable is on the disk, as it stands in the log.
    for (let index = 1; index <= log.durableIndex; index++) {
      expect(this.store.term(index)).toBe(array[index - 1]?.term);
    }
    expect(this.committed).toEqual(array.slice(0, this.committed.length));
    expect(this.committed.length).toBeLessThanOrEqual(Math.min(log.commit, log.durableIndex));
  }

  checkSlice(lo: number, hi: number, maxBytes: number): void {
    const entries = this.log.slice(lo, hi, maxBytes);
    expect(entries).toEqual(this.array.slice(lo - 1, lo - 1 + entries.length));
    const next = this.array[lo - 1 + entries.length];
    const bytes = entries.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    if (entries.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
    if (lo < hi) expect(entries.length).toBeGreaterThan(0);
    // Nothing that would have fitted is left out.
    if (lo + entries.length < hi && next !== undefined) {
      expect(bytes + next.payload.byteLength).toBeGreaterThan(maxBytes);
    }
  }
}

const term = fc.integer({ min: 1, max: 3 });
const step = fc.oneof(
  term.map((t) => (model: Model) => model.append(t)),
  fc.tuple(fc.nat(5), fc.array(term, { maxLength: 4 })).map(([back, terms]) => (model: Model) => {
    model.merge(back, terms);
  }),
  fc.constant((model: Model) => model.takeWrite()),
  fc.constant((model: Model) => model.takeWrite()),
  fc.constant((model: Model) => model.endWrite()),
  fc.constant((model: Model) => model.endWrite()),
  fc.nat(2).map((count) => (model: Model) => {
    model.log.commitTo(Math.min(model.log.commit + count, model.array.length));
  }),
  fc.constant((model: Model) => model.apply()),
  fc.nat(3).map((count) => (model: Model) => {
    model.log.appliedTo(Math.min(model.log.applied + count, model.committed.length));
  }),
  fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map(([from, length, bytes]) => (model: Model) => {
    const lo = 1 + (from % (model.array.length + 1));
    const hi = Math.min(lo + length, model.array.length + 1);
    model.checkSlice(lo, hi, bytes);
  }),
);

describe('the log', () => {
  it('C62 C66 C137 is the plain array, whatever the disk is behind', () => {
    fc.assert(
      fc.property(
        fc.array(term, { maxLength: 5 }),
        fc.array(step, { minLength: 10, maxLength: 60 }),
        (terms, steps) => {
          const model = new Model(terms);
          for (const run of steps) {
            run(model);
            model.check();
          }
          // Once the disk has caught up, all is durable and all that is committed comes.
          model.takeWrite();
          while (model.writes.length > 0) model.endWrite();
          expect(model.log.durableIndex).toBe(model.array.length);
          while (model.log.applied < model.log.commit) {
            model.apply();
            model.log.appliedTo(model.committed.length);
          }
          model.check();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('C69 a conflict at or below the commit is fatal', () => {
    const log = new RaftLog(new ArrayLog(entriesOf([1, 1, 1])), NO_MEMBERS, 2, 0, QUOTA);
    expect(() => log.merge([entry(2, 2)])).toThrow(InvariantError);
    expect(log.merge([entry(2, 3)])).toBe(3);
    expect(() => log.commitTo(4)).toThrow(InvariantError);
  });

  it('C128 the term before the first entry is known after compaction, those below are not', () => {
    const store = new ArrayLog(entriesOf([1, 2, 3]));
    store.compact(2, NO_MEMBERS);
    const log = new RaftLog(store, NO_MEMBERS, 2, 2, QUOTA);
    expect(log.term(2)).toBe(2);
    expect(() => log.term(1)).toThrow('compacted');
    expect(log.matches(1, 1)).toBe(false);
    expect(log.findConflict(3, 1)).toEqual({ index: 1, term: 0 });
  });

  it('C127 no state is given to a peer that is not applied here, or lies before the log', () => {
    const store = new ArrayLog(entriesOf([1, 1, 1, 1]));
    store.compact(2, NO_MEMBERS);
    const log = new RaftLog(store, NO_MEMBERS, 4, 3, QUOTA);
    for (const [index, legal] of [
      [1, false],
      [2, true],
      [3, true],
      [4, false],
    ] as const) {
      store.snapshot = () => ({ index, term: 1, membership: NO_MEMBERS });
      if (legal) expect(log.snapshot()).toMatchObject({ index });
      else expect(() => log.snapshot()).toThrow(InvariantError);
    }
  });

  it('appliedTo stays between what was applied and what was handed out', () => {
    const log = new RaftLog(new ArrayLog(entriesOf([1, 1, 1])), NO_MEMBERS, 3, 1, 1);
    expect(log.takeCommitted()).toHaveLength(1);
    expect(() => log.appliedTo(3)).toThrow(InvariantError);
    log.appliedTo(2);
    expect(() => log.appliedTo(1)).toThrow(InvariantError);
  });

  it('C73 a hint is the largest index with a term not above the one asked for', () => {
    const terms = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
    const naturals = fc.tuple(fc.nat(14), fc.nat(6));
    fc.assert(
      fc.property(terms, naturals, (unsorted, [index, below]) => {
        const sorted = [...unsorted].sort((a, b) => a - b);
        const log = new RaftLog(new ArrayLog(entriesOf(sorted)), NO_MEMBERS, 0, 0, QUOTA);
        const fitting = [0, ...sorted].flatMap((t, i) => (i <= index && t <= below ? [i] : []));
        const best = Math.max(...fitting);
        expect(log.findConflict(index, below)).toEqual({ index: best, term: [0, ...sorted][best] });
      }),
    );
  });

  it('being up to date is a total order, by term first', () => {
    const point = fc.tuple(fc.nat(4), fc.nat(4));
    fc.assert(
      fc.property(point, point, point, (a, b, c) => {
        const ab = isUpToDate(a[0], a[1], b[0], b[1]);
        const ba = isUpToDate(b[0], b[1], a[0], a[1]);
        expect(ab || ba).toBe(true);
        if (ab && ba) expect(a).toEqual(b);
        if (ab && isUpToDate(b[0], b[1], c[0], c[1])) {
          expect(isUpToDate(a[0], a[1], c[0], c[1])).toBe(true);
        }
        expect(ab).toBe(a[0] * 100 + a[1] >= b[0] * 100 + b[1]);
      }),
    );
  });
});
