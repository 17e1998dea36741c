import { describe, expect, it } from 'vitest';
import { decodeHeader } from '../server/core/log/header.ts';
import { Log, LogError } from '../server/core/log/log.ts';
import { type RecordFields, RecordType } from '../server/core/log/record.ts';
import { Stage } from '../server/core/log/stage.ts';
import { dump, IDENTITY, LogRun, seededRandom } from './testing/log-run.ts';

const OPTIONS = { segmentBytes: 12_288 + 3 * 4096, cacheBytes: 0 };
const RECORDS_OFFSET = 12_288;
const HEADER_BYTES = 128;
const BLOCK_BYTES = 4096;

describe('the log over a rotting disk', () => {
  it('refuses each flipped byte of what was durable, and takes no flip for content', () => {
    const run = writtenRun(3);
    const whole = run.model.dump();
    expect(run.disk.list().length).toBeGreaterThan(1);
    let refused = 0;
    for (const { name, offset, live } of bytesOf(run)) {
      run.disk.flipBit(name, offset, offset % 8);
      const found = outcome(run);
      run.disk.flipBit(name, offset, offset % 8);
      if (found === 'log_rotten') refused += 1;
      else expect(found).toBe(whole);
      if (live) expect([name, offset, found]).toEqual([name, offset, 'log_rotten']);
    }
    expect(refused).toBeGreaterThan(1000);
  });

  it('takes no flip for content whatever was under way when the process died', () => {
    const found = new Set<string>();
    for (let stop = 0; stop < 9; stop++) {
      const run = writtenRun(1);
      const settled = run.durable;
      run.writeAnything();
      run.writeAnything();
      run.flush();
      for (let i = 0; i < stop; i++) run.complete();
      // Until the closing mark is written nothing tells the last flush from a torn one.
      if (run.waiting > 0) run.durable = settled;
      run.disk.kill(run.random);
      const { written, durable, model } = run;
      for (const { name, offset } of bytesOf(run)) {
        if (offset % 3 !== stop % 3) continue;
        run.disk.flipBit(name, offset, offset % 8);
        found.add(reopened(run));
        run.disk.flipBit(name, offset, offset % 8);
        Object.assign(run, { written: [...written], durable, model });
      }
    }
    expect(found).toEqual(new Set(['legal', 'log_rotten']));
  });

  it('refuses damage below the last flush but one, whatever a crash does on top', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      const ends: End[] = [];
      const flushes = 3 + (run.random() % 6);
      for (let i = 0; i < flushes; i++) {
        run.writeAnything();
        run.writeAnything();
        run.flush();
        while (run.log.flushing && (i < flushes - 1 || run.random() % 4 !== 0)) run.complete();
        if (!run.log.flushing) ends.push(endOf(run));
      }
      run.disk.crash(run.random);
      // The header of the next segment proves all of a segment, if the crash has left it.
      const begun = run.disk.list().filter((name) => decodeHeader(run.disk.read(name, 0, 128)));
      const floor = ends.at(-2)!;
      for (const { name, offset, live } of bytesOf(run)) {
        const below = name < begun.at(-1)! || (name === floor.name && offset < floor.offset);
        if (!live || !below || offset % 5 !== seed % 5) continue;
        run.disk.flipBit(name, offset, offset % 8);
        expect([seed, name, offset, outcome(run)]).toEqual([seed, name, offset, 'log_rotten']);
        run.disk.flipBit(name, offset, offset % 8);
      }
    }
  });

  it('refuses damage to the last flush though one mark is damaged too', () => {
    for (const slot of [4096, 8192]) {
      const run = writtenRun(1);
      run.writeAnything();
      run.flush();
      run.drain();
      run.disk.flipBit('log-00000001.seg', slot + 20, 0);
      expect(outcome(run)).toBe(run.model.dump());
      run.disk.flipBit('log-00000001.seg', endOf(run).offset - 1, 0);
      expect(outcome(run)).toBe('log_rotten');
    }
  });

  it('vouches for what it recovered from a torn flush, once that is flushed again', () => {
    let recovered = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      run.writeAnything();
      run.flush();
      run.drain();
      run.writeAnything();
      run.writeAnything();
      run.flush();
      while (run.log.flushing && run.random() % 3 !== 0) run.complete();
      const { durable } = run;
      run.restart('kill');
      if (run.written.length === durable) continue;
      recovered += 1;
      run.flush();
      while (run.log.flushing) run.complete();
      run.disk.crash(run.random);
      run.disk.flipBit('log-00000001.seg', endOf(run).offset - 1, 0);
      expect([seed, outcome(run)]).toEqual([seed, 'log_rotten']);
    }
    expect(recovered).toBeGreaterThan(30);
  });

  it('finds rot when an entry is read back', () => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    const offset = RECORDS_OFFSET + 40; // behind a hard state
    run.write({ unit: 2, hard: { term: 1, vote: 0, commit: 0 } });
    run.write({ unit: 2, entry: { term: 1, index: 1, kind: 1, payload: new Uint8Array(9) } });
    run.flush();
    run.drain();
    run.disk.flipBit('log-00000001.seg', offset + 8, 0);
    expect(() => dump(run.log)).toThrow(
      `log_rotten: log-00000001.seg at byte ${offset}: entry 1 of unit 2 reads back wrong`,
    );
  });

  it('refuses a log that lost a segment, the last one too', () => {
    for (const lost of [0, 1, 2]) {
      const run = writtenRun(3);
      const names = run.disk.list();
      expect(names).toHaveLength(3);
      run.disk.remove(names[lost]!, () => {});
      run.drain();
      expect(() => run.reopen()).toThrow(
        `log_rotten: ${names[lost]} at byte 0: the segment is missing`,
      );
    }
  });

  it('refuses a log whose segments were swapped', () => {
    const run = writtenRun(3);
    const first = run.disk.read('log-00000001.seg', 0, 1e9);
    run.disk.write('log-00000002.seg', 0, [first], () => {});
    run.drain();
    expect(() => run.reopen()).toThrow('log_rotten: log-00000002.seg at byte 0: another segment');
  });

  it.each([
    ['commits what it has no entry of', [hardState(1, 0, 0), hardState(1, 0, 1)], 'commits 1 of 0'],
    ['leaves a gap', [entry(1), entry(3)], 'leaves a gap after 1'],
    ['drops what it committed', [entry(1), hardState(1, 0, 1), entry(1)], 'would drop'],
  ])('refuses a log that %s, though every checksum holds', (_what, records, message) => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    const stage = new Stage(IDENTITY, OPTIONS.segmentBytes, { segment: 0, offset: 0, chain: 0 });
    for (const { fields, payload } of records) stage.add(fields, payload);
    const [batch] = stage.take();
    run.disk.write('log-00000001.seg', 0, [batch!.header!], () => {});
    run.disk.write('log-00000001.seg', batch!.offset, [batch!.records], () => {});
    run.drain();
    expect(() => run.reopen()).toThrow(/^log_rotten: log-00000001.seg at byte /);
    expect(() => run.reopen()).toThrow(message);
  });

  it('refuses a log with both marks damaged', () => {
    const run = writtenRun(1);
    run.disk.flipBit('log-00000001.seg', 4096, 0);
    run.disk.flipBit('log-00000001.seg', 8192, 0);
    expect(() => run.reopen()).toThrow('log_rotten: log-00000001.seg at byte 4096: both marks');
  });

  it('changes nothing on the disk when it refuses', () => {
    const run = writtenRun(2);
    run.disk.flipBit('log-00000001.seg', RECORDS_OFFSET, 0);
    expect(() => run.reopen()).toThrow('log_rotten');
    expect(run.waiting).toBe(0);
  });

  it('refuses the log of another cluster, server, zone or format, naming both', () => {
    const run = writtenRun(1);
    const others = [
      { ...IDENTITY, clusterId: 'f'.repeat(32) },
      { ...IDENTITY, server: 4 },
      { ...IDENTITY, zone: 'sh1' },
      { ...IDENTITY, formatVersion: IDENTITY.formatVersion - 1 },
    ];
    for (const other of others) {
      const open = () => Log.open(run.disk, other, OPTIONS);
      expect(open).toThrow('log_foreign');
      expect(open).toThrow(
        `server ${IDENTITY.server}, zone ${IDENTITY.zone}, log format ${IDENTITY.formatVersion}, but`,
      );
      expect(open).toThrow(
        `cluster ${other.clusterId}, server ${other.server}, zone ${other.zone}`,
      );
    }
    expect(run.waiting).toBe(0);
  });
});

/** A log of so many segments, all flushed, with nothing under way. */
function writtenRun(segments: number): LogRun {
  const run = new LogRun(seededRandom(11), OPTIONS);
  while (run.disk.list().length < segments || run.disk.list().length === 0) {
    run.writeAnything();
    run.writeAnything();
    run.flush();
    run.drain();
  }
  return run;
}

interface Crafted {
  readonly fields: RecordFields;
  readonly payload: Uint8Array;
}

function entry(index: number): Crafted {
  return {
    fields: { type: RecordType.entry, unit: 1, kind: 1, term: 1, index },
    payload: new Uint8Array(9),
  };
}

function hardState(term: number, vote: number, commit: number): Crafted {
  const fields = { type: RecordType.hardState, unit: 1, kind: 0, term, index: commit };
  return { fields, payload: Uint8Array.of(vote, 0, 0, 0, 0, 0, 0, 0) };
}

interface End {
  readonly name: string;
  readonly offset: number;
}

/** Behind the last byte of the last record; only right while nothing unflushed is on the disk. */
function endOf(run: LogRun): End {
  const name = run.disk.list().at(-1)!;
  const file = run.disk.read(name, 0, run.disk.size(name));
  return { name, offset: file.findLastIndex((byte) => byte !== 0) + 1 };
}

/** All bytes but most of the zeros, of which there are many and all alike. */
function bytesOf(run: LogRun): { name: string; offset: number; live: boolean }[] {
  return run.disk.list().flatMap((name) => {
    const file = run.disk.read(name, 0, run.disk.size(name));
    const bytes: { name: string; offset: number; live: boolean }[] = [];
    let live = false;
    for (let offset = file.length - 1; offset >= 0; offset--) {
      // Part of a record: behind it comes more of the same flush, which begins at a block.
      live = file[offset] !== 0 || (live && (offset + 1) % BLOCK_BYTES !== 0);
      const kept = offset < HEADER_BYTES || (live && offset >= RECORDS_OFFSET);
      if (kept || live || offset % 97 === 0) bytes.push({ name, offset, live: kept });
    }
    return bytes;
  });
}

function outcome(run: LogRun): string {
  try {
    return dump(Log.open(run.disk, IDENTITY, OPTIONS));
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}

/** Legal: all that is durable and some of what was written after it. */
function reopened(run: LogRun): string {
  try {
    run.reopen();
    return 'legal';
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}
