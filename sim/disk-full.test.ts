import { describe, expect, it } from 'vitest';
import { AccountWord, RECORD_WORDS } from '../ledger/layout.ts';
import { findFaults, settled } from './checks.ts';
import type { Host } from './host.ts';
import { ledWorld } from './testing/led-world.ts';

const UNITS = 4;
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
/** In the simulator (world.ts) the reserve is 8 MiB. */
const LOW_BYTES = 7 << 20;
const SPENT_BYTES = 3 << 20;

function leave(host: Host, freeBytes: number): void {
  const { disk } = host;
  const usedBytes = disk.list().reduce((sum, name) => sum + disk.size(name), 0);
  disk.capacityBytes = usedBytes + freeBytes;
}

/** What becomes of an account that is created through that server. */
function create(host: Host, id: number): { outcome: string } {
  const record = new Uint32Array(RECORD_WORDS);
  record[AccountWord.id] = id;
  record[AccountWord.ledger] = 978;
  record[AccountWord.codeAndFlags] = 1;
  const asked = { outcome: 'none' };
  host.server!.gateway.createAccounts(record, 1, (error) => {
    asked.outcome = error === null ? 'done' : error.message;
  });
  return asked;
}

describe('a server whose disk is full', () => {
  it('gives away what it leads, goes on voting and taking entries, and takes it back once it has room', () => {
    const run = ledWorld(1, UNITS);
    const { world, workload, lines, leads, until, runMs } = run;
    workload.start(2);
    leave(world.host(1), LOW_BYTES);
    until('another leads', () => leads(2) === UNITS);
    expect(lines.some(({ server, text }) => server === 1 && text.includes('disk is full'))).toBe(
      true,
    );
    const answered = workload.answered;
    runMs(1_000);
    expect(workload.answered).toBeGreaterThan(answered);
    // Its vote is needed: of three two are left.
    world.host(2).kill();
    until('elected with its vote', () => leads(3) + leads(1) === UNITS);
    world.host(2).start();
    world.host(1).disk.capacityBytes = Number.POSITIVE_INFINITY;
    until('home again', () => leads(1) === UNITS / 2 && leads(2) === UNITS / 2);
    workload.stop();
    until('all answered', () => workload.idle);
    until('all books equal', () => settled(world));
    expect(findFaults(world, workload.bookings)).toEqual([]);
  });

  // Half a minute of a simulated cluster: with EVENKEEL_EXHAUSTIVE set, as CI does.
  it.runIf(EXHAUSTIVE)(
    'takes no entries with less than half of the reserve, so that it never runs out',
    () => {
      const run = ledWorld(2, UNITS);
      const { world, workload, leads, until, runMs } = run;
      leave(world.host(3), SPENT_BYTES);
      runMs(1_000);
      const freeBytes = world.host(3).disk.freeBytes();
      workload.start(4);
      runMs(5_000);
      expect(world.host(3).server).not.toBeNull();
      expect(freeBytes - world.host(3).disk.freeBytes()).toBeLessThan(SPENT_BYTES / 2);
      expect(leads(1) + leads(2)).toBe(UNITS);
      workload.stop();
      world.host(3).disk.capacityBytes = Number.POSITIVE_INFINITY;
      until('all answered', () => workload.idle);
      until('all books equal', () => settled(world));
      expect(findFaults(world, workload.bookings)).toEqual([]);
    },
  );
});

describe('servers whose disks are all full', () => {
  it('refuse to book, with the reason, elect leaders all the same, and start again', () => {
    const run = ledWorld(3, UNITS);
    const { world, leads, until, runMs } = run;
    for (const host of world.hosts) leave(host, LOW_BYTES);
    runMs(1_500);
    const asked = create(world.host(3), 1_000_001);
    until('refused', () => asked.outcome !== 'none');
    expect(asked.outcome).toMatch(/^disk_full: the disk of the server that leads unit \d is full/);
    for (const host of world.hosts) leave(host, 0);
    world.host(1).kill();
    until('elected', () => leads(2) + leads(3) === UNITS);
    world.host(1).start();
    world.host(2).kill();
    until('elected again', () => leads(1) + leads(3) === UNITS);
    world.host(2).start();
    for (const host of world.hosts) host.disk.capacityBytes = Number.POSITIVE_INFINITY;
    runMs(5_000);
    const again = create(world.host(3), 1_000_001);
    until('done', () => again.outcome !== 'none');
    expect(again.outcome).toBe('done');
    until('all books equal', () => settled(world));
  });
});
