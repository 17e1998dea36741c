import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { encodeMembership, votersOnly } from '../../consensus/membership.ts';
import { type Entry, EntryKind, type HardState, type SnapshotMark } from '../../consensus/types.ts';
import {
  LOG_FORMAT_VERSION,
  Log,
  type LogIdentity,
  type LogOptions,
} from '../../server/core/log/log.ts';
import type { Random, SimDisk } from '../disk.ts';
import { SteppedDisk } from './stepped-disk.ts';

export const IDENTITY: LogIdentity = {
  clusterId: '00112233445566778899aabbccddeeff',
  server: 3,
  zone: 'hz2',
  formatVersion: LOG_FORMAT_VERSION,
};

/** One record as the caller sees it. A log's content is what its records make, one after the other. */
export type Written =
  | { readonly unit: number; readonly entry: Entry }
  | { readonly unit: number; readonly hard: HardState }
  | { readonly unit: number; readonly compact: SnapshotMark }
  | { readonly unit: number; readonly reset: SnapshotMark };

interface UnitModel {
  /** What the entries start after. */
  start: SnapshotMark | null;
  entries: Entry[];
  hard: HardState;
}

/** The dumb model: whole arrays, no files. */
export class LogModel {
  readonly units = new Map<number, UnitModel>();

  apply(written: Written): void {
    const unit = this.unit(written.unit);
    this.units.set(written.unit, unit);
    const startIndex = unit.start?.index ?? 0;
    if ('hard' in written) unit.hard = written.hard;
    else if ('entry' in written) {
      const kept = unit.entries.slice(0, written.entry.index - 1 - startIndex);
      unit.entries = [...kept, written.entry];
    } else {
      const start = 'compact' in written ? written.compact : written.reset;
      unit.start = start;
      unit.entries =
        'compact' in written ? unit.entries.filter(({ index }) => index > start.index) : [];
      unit.hard = { ...unit.hard, commit: Math.max(unit.hard.commit, start.index) };
    }
  }

  unit(id: number): UnitModel {
    return (
      this.units.get(id) ?? { start: null, entries: [], hard: { term: 0, vote: 0, commit: 0 } }
    );
  }

  dump(): string {
    const ids = [...this.units.keys()].sort((a, b) => a - b);
    return ids.map((id) => text(id, this.unit(id))).join('\n');
  }
}

export function dump(log: Log): string {
  return log
    .units()
    .map((id) => text(id, contentOf(log, id)))
    .join('\n');
}

function contentOf(log: Log, id: number): UnitModel {
  const unit = log.unit(id);
  const first = unit.firstIndex();
  const entries = unit.entries(first, unit.lastIndex() + 1, Number.POSITIVE_INFINITY);
  const membership = unit.startMembership();
  const index = first - 1;
  const start = membership === null ? null : { index, term: unit.term(index), membership };
  return { start, entries, hard: unit.hardState() };
}

function text(id: number, { start, entries, hard }: UnitModel): string {
  const list = entries.map(
    ({ term, index, kind, payload }) =>
      `${index}/${term}/${kind}/${payload.length}:${crc32(payload)}`,
  );
  const from =
    start === null
      ? ''
      : ` after ${start.index}/${start.term}/${start.membership.voters.join('.')}`;
  return `unit ${id} term ${hard.term} vote ${hard.vote} commit ${hard.commit}${from}: ${list.join(' ')}`;
}

export function writeTo(log: Log, written: Written): void {
  const { unit } = written;
  if ('hard' in written) log.setHardState(unit, written.hard);
  else if ('entry' in written) log.append(unit, [written.entry]);
  else if ('compact' in written) log.compact(unit, written.compact);
  else log.reset(unit, written.reset);
}

/** A log on a simulated disk whose operations complete one by one when asked, beside all that was ever written. */
export class LogRun {
  readonly #stepped: SteppedDisk;
  readonly random: Random;
  readonly #options: LogOptions;
  log: Log;
  written: Written[] = [];
  /** What `written` makes. */
  model = new LogModel();
  /** So many of `written` were covered by a flush that is done. */
  durable = 0;
  /** So many records were found by the last restart. */
  kept = 0;
  /** How many were written as each flush began since the start of the process, and before it. */
  flushed: number[] = [];
  errors: Error[] = [];
  /** How far the log was durable, as peers were told. */
  #told = 0;

  constructor(random: Random, options: LogOptions) {
    this.random = random;
    this.#options = options;
    this.#stepped = new SteppedDisk();
    this.log = Log.open(this.disk, IDENTITY, options);
  }

  get disk(): SimDisk {
    return this.#stepped.disk;
  }

  get waiting(): number {
    return this.#stepped.waiting;
  }

  /** Completes one disk operation; false if there is none. */
  complete(): boolean {
    return this.#stepped.complete();
  }

  /** The process has died: what it had asked for does not come any more. */
  forget(): void {
    this.#stepped.forget();
  }

  drain(): void {
    this.#stepped.drain();
  }

  flush(): void {
    const count = this.written.length;
    this.flushed.push(count);
    this.log.flush((error) => {
      if (error !== null) {
        this.errors.push(error);
        return;
      }
      this.durable = count;
      this.#told = this.log.durableEnd;
    });
  }

  write(written: Written): void {
    this.written.push(written);
    this.model.apply(written);
    writeTo(this.log, written);
  }

  /** Something that consensus could write next. */
  writeAnything(): void {
    this.#writeAnything(true);
  }

  /** So that all that was ever written is still there. */
  writeAnythingToKeep(): void {
    this.#writeAnything(false);
  }

  #writeAnything(forgets: boolean): void {
    const { random } = this;
    const unit = 1 + (random() % 3);
    const { start, entries, hard } = this.model.unit(unit);
    const first = (start?.index ?? 0) + 1;
    const last = first + entries.length - 1;
    const termAt = (index: number) =>
      index < first ? (start?.term ?? 0) : entries[index - first]!.term;
    const dice = random() % 16;
    if (dice < 4) {
      const term = Math.max(hard.term, termAt(last)) + (random() % 2);
      const vote = term > hard.term || hard.vote === 0 ? random() % 4 : hard.vote;
      const commit = hard.commit + (random() % (last - hard.commit + 1));
      this.write({ unit, hard: { term, vote, commit } });
      return;
    }
    const membership = votersOnly([1, 2, 3 + (random() % 3)]);
    if (forgets && dice < 6 && hard.commit >= first) {
      const index = first + (random() % (hard.commit - first + 1));
      this.write({ unit, compact: { index, term: termAt(index), membership } });
      return;
    }
    if (forgets && dice === 6 && random() % 4 === 0) {
      const index = hard.commit + 1 + (random() % 9);
      this.write({ unit, reset: { index, term: termAt(last) + (random() % 2), membership } });
      return;
    }
    const uncommitted = last - hard.commit;
    const back = random() % 5 === 0 ? random() % (uncommitted + 1) : 0;
    const index = last + 1 - back;
    const before = index === 1 ? 1 : termAt(index - 1);
    const term = before + (random() % 4 === 0 ? 1 : 0);
    const kind = random() % 3;
    if (kind === EntryKind.membership) {
      this.write({ unit, entry: { term, index, kind, payload: encodeMembership(membership) } });
      return;
    }
    const payload = new Uint8Array(random() % 7 === 0 ? random() % 700 : random() % 40);
    for (let i = 0; i < payload.length; i++) payload[i] = random();
    this.write({ unit, entry: { term, index, kind, payload } });
  }

  /**
   * Ends the process, with the machine or without, and starts the next. What it finds must be what the first so many
   * records make, and all of the durable ones. Forgets the others, as the next process does.
   */
  restart(how: 'crash' | 'kill'): void {
    this.#stepped.forget();
    if (how === 'crash') this.disk.crash(this.random);
    else this.disk.kill(this.random);
    this.reopen();
  }

  /** As far as damage has left it: of each unit the beginning of what so many records made, and all terms and votes. */
  isDamaged(log: Log): boolean {
    const made = [...this.written.keys(), this.written.length].map((count) =>
      modelOf(this.written.slice(0, count)),
    );
    const noHard = { term: 0, vote: 0, commit: 0 };
    return log.units().every((id) => {
      const found = contentOf(log, id);
      const { term, vote, commit } = found.hard;
      const left = text(id, { ...found, hard: noHard });
      const stood = made.some((model) => {
        const { start, entries } = model.unit(id);
        const kept = entries.slice(0, found.entries.length);
        return text(id, { start, entries: kept, hard: noHard }) === left;
      });
      const promised = made.slice(this.durable).some((model) => {
        const { hard } = model.unit(id);
        return hard.term === term && hard.vote === vote;
      });
      return stood && promised && commit <= (found.start?.index ?? 0) + found.entries.length;
    });
  }

  reopen(): void {
    this.log = Log.open(this.disk, IDENTITY, this.#options);
    expect(this.log.rot).toBeNull();
    // Peers take one that has less for an older copy.
    expect(this.log.durableEnd).toBeGreaterThanOrEqual(this.#told);
    const found = dump(this.log);
    const flushed = this.flushed;
    for (let count = this.durable; count <= this.written.length; count++) {
      // Terms and votes stand in a file of their own too, which may be further than the log.
      for (const votes of [count, ...flushed]) {
        const records = prefixOf(this.written, count, votes);
        const model = modelOf(records);
        if (model.dump() !== found) continue;
        this.written = records;
        this.model = model;
        this.kept = count;
        this.flushed = [this.written.length];
        return;
      }
    }
    const range = `${this.durable}..${this.written.length}`;
    throw new Error(
      `not what any of the first ${range} records make:\n${found}\nall make:\n${this.model.dump()}`,
    );
  }
}

/** The first `count` records, and what a votes file tells that is as far as `votes` of them. */
export function prefixOf(written: readonly Written[], count: number, votes: number): Written[] {
  const records = written.slice(0, count);
  return votes <= count ? records : [...records, ...raisedVotes(records, written.slice(0, votes))];
}

export function modelOf(written: readonly Written[]): LogModel {
  const model = new LogModel();
  for (const record of written) model.apply(record);
  return model;
}

/** What the terms and votes of `later` add to what `records` make. */
function raisedVotes(records: readonly Written[], later: readonly Written[]): Written[] {
  const [log, votes] = [modelOf(records), modelOf(later)];
  const raised: Written[] = [];
  for (const [unit, { hard }] of votes.units) {
    const { term, vote, commit } = log.unit(unit).hard;
    if (hard.term > term || (hard.term === term && vote === 0 && hard.vote !== 0))
      raised.push({ unit, hard: { term: hard.term, vote: hard.vote, commit } });
  }
  return raised;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
