import { describe, expect, it } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import { decodeHeader } from '../server/core/log/header.ts';
import { Log } from '../server/core/log/log.ts';
import { type RecordFields, RecordType } from '../server/core/log/record.ts';
import { Stage } from '../server/core/log/stage.ts';
import { VOTES_SLOT_BYTES } from '../server/core/log/votes.ts';
import { NO_TAIL } from '../server/core/log/writer.ts';
import { dump, IDENTITY, LogRun, seededRandom } from './testing/log-run.ts';

const OPTIONS = { segmentBytes: 12_288 + 3 * 4096, cacheBytes: 0 };
const RECORDS_OFFSET = 12_288;
const HEADER_BYTES = 128;
const BLOCK_BYTES = 4096;

describe('the log over a rotting disk', () => {
  it('notes each flipped byte of what was durable, keeps what lies before, and takes no flip for content', () => {
    const run = writtenRun(3);
    const whole = run.model.dump();
    expect(run.disk.list().length).toBeGreaterThan(2);
    let noted = 0;
    for (const { name, offset, live } of bytesOf(run)) {
      run.disk.flipBit(name, offset, offset % 8);
      const found = outcome(run);
      run.disk.flipBit(name, offset, offset % 8);
      if (found === 'rot') noted += 1;
      else expect(found).toBe(whole);
      // The next segment says where a sealed one ends, so its marks do not matter.
      if (live) expect([name, offset, found]).toEqual([name, offset, 'rot']);
    }
    expect(noted).toBeGreaterThan(1000);
  });

  it('takes no flip for content whatever was under way when the process died', () => {
    const found = new Set<string>();
    for (let stop = 0; stop < 9; stop++) {
      const run = writtenRun(1);
      run.writeAnythingToKeep();
      run.writeAnythingToKeep();
      run.flush();
      for (let i = 0; i < stop; i++) run.complete();
      run.disk.kill(run.random);
      for (const { name, offset } of bytesOf(run)) {
        if (offset % 3 !== stop % 3) continue;
        run.disk.flipBit(name, offset, offset % 8);
        const what = outcome(run);
        found.add(what === 'rot' ? what : 'legal');
        run.disk.flipBit(name, offset, offset % 8);
      }
    }
    expect(found).toEqual(new Set(['legal', 'rot']));
  });

  it('notes damage below the last flush but one, whatever a crash does on top', () => {
    for (let seed = 1; seed <= 24; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      const ends: End[] = [];
      const flushes = 3 + (run.random() % 6);
      for (let i = 0; i < flushes; i++) {
        run.writeAnythingToKeep();
        run.writeAnythingToKeep();
        run.flush();
        while (run.log.flushing && (i < flushes - 1 || run.random() % 4 !== 0)) run.complete();
        if (!run.log.flushing) ends.push(endOf(run));
      }
      run.disk.crash(run.random);
      // The header of the next segment proves all of a segment, if the crash has left it.
      const begun = segmentsOf(run).filter((name) => decodeHeader(run.disk.read(name, 0, 128)));
      const floor = ends.at(-2)!;
      const whole = outcome(run);
      for (const { name, offset, live } of bytesOf(run)) {
        const below = name < begun.at(-1)! || (name === floor.name && offset < floor.offset);
        if (!live || !below || offset % 11 !== seed % 11) continue;
        run.disk.flipBit(name, offset, offset % 8);
        const found = outcome(run);
        // Of a segment that nobody needs nothing is lost.
        if (found !== whole)
          expect([seed, name, offset, found]).toEqual([seed, name, offset, 'rot']);
        else expect(name).not.toBe(begun.at(-1));
        run.disk.flipBit(name, offset, offset % 8);
      }
    }
  });

  it('notes damage to the last flush though one mark is damaged too', () => {
    for (const slot of [4096, 8192]) {
      const run = writtenRun(1);
      run.writeAnythingToKeep();
      run.flush();
      run.drain();
      run.disk.flipBit('log-00000001.seg', slot + 20, 0);
      expect(outcome(run)).toBe(run.model.dump());
      run.disk.flipBit('log-00000001.seg', endOf(run).offset - 1, 0);
      expect(outcome(run)).toBe('rot');
    }
  });

  it('vouches for what it recovered from a torn flush, once that is flushed again', () => {
    let recovered = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      run.writeAnythingToKeep();
      run.flush();
      run.drain();
      run.writeAnythingToKeep();
      run.writeAnythingToKeep();
      run.flush();
      while (run.log.flushing && run.random() % 3 !== 0) run.complete();
      const { durable } = run;
      run.restart('kill');
      // Terms and votes that the file tells are written anew, and nothing vouches for that yet.
      if (run.kept === durable || run.kept !== run.written.length) continue;
      recovered += 1;
      run.flush();
      while (run.log.flushing) run.complete();
      run.disk.crash(run.random);
      run.disk.flipBit('log-00000001.seg', endOf(run).offset - 1, 0);
      expect([seed, outcome(run)]).toEqual([seed, 'rot']);
    }
    expect(recovered).toBeGreaterThan(30);
  });

  it('goes on behind the damage, and stays recovering until it is told that it is whole (C141)', () => {
    for (const how of ['crash', 'kill'] as const) {
      const run = writtenRun(3);
      const hard = (log: Log) => log.units().map((id) => log.unit(id).hardState());
      const promised = hard(run.log);
      run.disk.flipBit('log-00000002.seg', RECORDS_OFFSET + 40, 0);
      let log = Log.open(run.disk, IDENTITY, OPTIONS);
      expect(log.rot?.message).toContain('log-00000002.seg at byte 12288');
      const kept = dump(log);
      for (let restart = 0; restart < 3; restart++) {
        expect(log.units().every((id) => log.unit(id).recovering)).toBe(true);
        expect(dump(log)).toBe(kept);
        // Not the commit: it is only a hint.
        expect(hard(log)).toMatchObject(promised.map(({ term, vote }) => ({ term, vote })));
        log.flush(() => {});
        // First with part of it done: what is left must be seen as damaged again.
        if (restart === 0) for (let i = 0; i < 5; i++) run.complete();
        else run.drain();
        log = restartOn(run, how);
      }
      expect(log.rot).toBeNull();
      for (const id of log.units()) log.recovered(id);
      const index = log.unit(1).lastIndex() + 1;
      const { term } = log.unit(1).hardState();
      log.append(1, [{ term, index, kind: 1, payload: new Uint8Array(9) }]);
      log.flush(() => {});
      run.drain();
      log = restartOn(run, how);
      expect(log.rot).toBeNull();
      expect(log.units().some((id) => log.unit(id).recovering)).toBe(false);
      expect(log.unit(1).lastIndex()).toBe(index);
      // The damaged segments are gone.
      expect(segmentsOf(run)).toEqual(['log-00000001.seg', 'log-00000002.seg', 'log-00000004.seg']);
    }
  });

  it('loses nothing by damage to what no unit needs any more', () => {
    const run = writtenRun(3);
    const { log } = run;
    for (const id of log.units()) {
      const unit = log.unit(id);
      const index = unit.lastIndex();
      if (index === 0) continue;
      const { term, vote } = unit.hardState();
      const hard = { term: Math.max(term, unit.term(index)), vote, commit: index };
      run.write({ unit: id, hard: { ...hard, vote: hard.term > term ? 0 : vote } });
      const membership = votersOnly([1, 2, 3]);
      run.write({ unit: id, compact: { index, term: unit.term(index), membership } });
    }
    run.flush();
    while (run.log.flushing) run.complete();
    const whole = run.model.dump();
    for (const name of ['log-00000001.seg', 'log-00000002.seg']) {
      run.disk.flipBit(name, RECORDS_OFFSET + 40, 0);
      expect(outcome(run)).toBe(whole);
    }
    run.restart('crash');
    run.flush();
    run.drain();
    expect(segmentsOf(run)).toHaveLength(1);
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

  it('keeps what it can of a log that lost a segment, the first or the last one too', () => {
    for (const lost of [0, 1, 2]) {
      const run = writtenRun(3);
      const names = segmentsOf(run);
      expect(names).toHaveLength(3);
      run.disk.remove(names[lost]!, () => {});
      run.drain();
      expect(outcome(run)).toBe('rot');
    }
  });

  it('keeps all promises of a log that lost all segments', () => {
    const run = writtenRun(2);
    for (const name of segmentsOf(run)) run.disk.remove(name, () => {});
    run.drain();
    const log = Log.open(run.disk, IDENTITY, OPTIONS);
    expect(log.rot?.message).toContain('all segments are missing');
    expect(run.isDamaged(log)).toBe(true);
    expect(log.units()).toEqual(run.log.units());
    expect(log.units().every((id) => log.unit(id).recovering)).toBe(true);
  });

  it('notes that segments were swapped', () => {
    const run = writtenRun(3);
    const first = run.disk.read('log-00000001.seg', 0, 1e9);
    run.disk.write('log-00000002.seg', 0, [first], () => {});
    run.drain();
    expect(outcome(run)).toBe('rot');
  });

  it.each([
    ['commits what it has no entry of', [hardState(1, 0, 0), hardState(1, 0, 1)], 'commits 1 of 0'],
    ['leaves a gap', [entry(1), entry(3)], 'leaves a gap after 1'],
    ['drops what it committed', [entry(1), hardState(1, 0, 1), entry(1)], 'would drop'],
  ])('takes a log that %s for damaged, though every checksum holds', (_what, records, message) => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    run.write({ unit: 1, hard: { term: 1, vote: 0, commit: 0 } });
    run.flush();
    run.drain();
    const stage = new Stage(IDENTITY, OPTIONS.segmentBytes, NO_TAIL.end, false);
    stage.roll();
    for (const { fields, payload } of records) stage.add(fields, payload);
    const [batch] = stage.take();
    run.disk.write('log-00000001.seg', 0, [batch!.header!], () => {});
    run.disk.write('log-00000001.seg', batch!.offset, [batch!.records], () => {});
    run.drain();
    const log = Log.open(run.disk, IDENTITY, OPTIONS);
    expect(log.rot?.message).toMatch(/^log_rotten: log-00000001.seg at byte /);
    expect(log.rot?.message).toContain(message);
  });

  it('notes that both marks are damaged, for nothing tells what they vouched for', () => {
    const run = writtenRun(1);
    run.disk.flipBit('log-00000001.seg', 4096, 0);
    run.disk.flipBit('log-00000001.seg', 8192, 0);
    expect(Log.open(run.disk, IDENTITY, OPTIONS).rot?.message).toContain('both marks');
    expect(outcome(run)).toBe('rot');
  });

  it('needs but one copy of the votes', () => {
    const run = writtenRun(3);
    const whole = run.model.dump();
    for (const slot of [0, VOTES_SLOT_BYTES]) {
      run.disk.flipBit('votes', slot + 30, 0);
      expect(outcome(run)).toBe(whole);
      run.disk.flipBit('log-00000002.seg', RECORDS_OFFSET + 40, 0);
      expect(outcome(run)).toBe('rot');
      run.disk.flipBit('log-00000002.seg', RECORDS_OFFSET + 40, 0);
      run.disk.flipBit('votes', slot + 30, 0);
    }
  });

  it('recovers with the promises of its log when both copies of the votes are damaged', () => {
    const run = writtenRun(3);
    run.disk.flipBit('votes', 30, 0);
    run.disk.flipBit('votes', VOTES_SLOT_BYTES + 30, 0);
    const log = Log.open(run.disk, IDENTITY, OPTIONS);
    expect(log.rot?.message).toContain('votes at byte 0: both copies are damaged');
    expect(dump(log)).toBe(run.model.dump());
    expect(log.units().every((id) => log.unit(id).recovering)).toBe(true);
  });

  it('refuses a log of which nothing tells what it has promised, and changes nothing', () => {
    const run = writtenRun(3);
    run.disk.flipBit('votes', 30, 0);
    run.disk.flipBit('votes', VOTES_SLOT_BYTES + 30, 0);
    run.disk.flipBit('log-00000002.seg', RECORDS_OFFSET + 40, 0);
    const open = () => Log.open(run.disk, IDENTITY, OPTIONS);
    expect(open).toThrow('log_rotten: log-00000002.seg at byte 12288');
    expect(open).toThrow('add it again with an empty folder');
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
  while (segmentsOf(run).length < segments) {
    run.writeAnythingToKeep();
    run.writeAnythingToKeep();
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
  const name = segmentsOf(run).at(-1)!;
  const file = run.disk.read(name, 0, run.disk.size(name));
  return { name, offset: file.findLastIndex((byte) => byte !== 0) + 1 };
}

function segmentsOf(run: LogRun): string[] {
  return run.disk.list().filter((name) => name.startsWith('log-'));
}

/** All bytes of the segments but most of the zeros, of which there are many and all alike. */
function bytesOf(run: LogRun): { name: string; offset: number; live: boolean }[] {
  return segmentsOf(run).flatMap((name) => {
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

/** The content, or that damage was noted: then what is left must be a part that stands by itself. */
function outcome(run: LogRun): string {
  const log = Log.open(run.disk, IDENTITY, OPTIONS);
  if (log.rot === null) return dump(log);
  expect(run.isDamaged(log)).toBe(true);
  expect(log.units().every((id) => log.unit(id).recovering)).toBe(true);
  return 'rot';
}

function restartOn(run: LogRun, how: 'crash' | 'kill'): Log {
  run.forget();
  if (how === 'crash') run.disk.crash(run.random);
  else run.disk.kill(run.random);
  return Log.open(run.disk, IDENTITY, OPTIONS);
}
