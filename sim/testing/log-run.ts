import { crc32 } from 'node:zlib';
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
  const units = log.units().map((id) => {
    const unit = log.unit(id);
    const first = unit.firstIndex();
    const entries = unit.entries(first, unit.lastIndex() + 1, Number.POSITIVE_INFINITY);
    const membership = unit.startMembership();
    const index = first - 1;
    const start = membership === null ? null : { index, term: unit.term(index), membership };
    return text(id, { start, entries, hard: unit.hardState() });
  });
  return units.join('\n');
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
  errors: Error[] = [];

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

  drain(): void {
    this.#stepped.drain();
  }

  flush(): void {
    const count = this.written.length;
    this.log.flush((error) => {
      if (error === null) this.durable = count;
      else this.errors.push(error);
    });
  }

  write(written: Written): void {
    this.written.push(written);
    this.model.apply(written);
    writeTo(this.log, written);
  }

  /** Something that consensus could write next. */
  writeAnything(): void {
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
    if (dice < 6 && hard.commit >= first) {
      const index = first + (random() % (hard.commit - first + 1));
      this.write({ unit, compact: { index, term: termAt(index), membership } });
      return;
    }
    if (dice === 6 && random() % 4 === 0) {
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

  reopen(): void {
    this.log = Log.open(this.disk, IDENTITY, this.#options);
    const found = dump(this.log);
    const model = new LogModel();
    for (let count = 0; count <= this.written.length; count++) {
      if (count >= this.durable && model.dump() === found) {
        this.written.length = count;
        this.model = model;
        return;
      }
      if (count < this.written.length) model.apply(this.written[count]!);
    }
    const range = `${this.durable}..${this.written.length}`;
    throw new Error(
      `not what any of the first ${range} records make:\n${found}\nall make:\n${model.dump()}`,
    );
  }
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
