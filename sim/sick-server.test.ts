import { describe, expect, it } from 'vitest';
import { findFaults, settled } from './checks.ts';
import { ledWorld } from './testing/led-world.ts';

const UNITS = 4;

/** Ends a run: everything that was answered is there, once, on all servers. */
function expectWhole({ world, workload, until }: ReturnType<typeof ledWorld>): void {
  workload.stop();
  until('all answered', () => workload.idle);
  until('all books equal', () => settled(world));
  expect(findFaults(world, workload.bookings)).toEqual([]);
}

describe('a server that can not be relied on', () => {
  it('C140 whose disk stalls gives its groups to the other city server, and takes them back later', () => {
    const run = ledWorld(1, UNITS);
    run.workload.start(2);
    const { world, runMs, leads, until, lines } = run;
    world.host(1).diskSlowness = 10_000;
    runMs(250);
    run.workload.stop();
    expect(leads(1)).toBe(0);
    expect(leads(2)).toBe(UNITS);
    expect(lines.some(({ server, text }) => server === 1 && text.includes('disk stalled'))).toBe(
      true,
    );
    expect(world.host(1).server!.health.ailment).toBe('disk stalled');
    expect(world.host(2).server!.health.peers[0]).toMatchObject({ server: 1, isFit: false });
    runMs(1_000);
    expect(leads(2)).toBe(UNITS);
    world.host(1).diskSlowness = 1;
    expect(until('home again', () => leads(1) === UNITS / 2)).toBeGreaterThan(3_000);
    expectWhole(run);
  });

  it('whose process stands still gives its groups away as soon as it goes on', () => {
    const run = ledWorld(2, UNITS);
    const { world, runMs, leads } = run;
    world.host(2).pausedUntilUs = world.scheduler.nowUs + 200_000;
    runMs(200);
    expect(leads(2)).toBe(UNITS / 2);
    runMs(50);
    expect(leads(2)).toBe(0);
    expect(leads(1)).toBe(UNITS);
    expect(world.host(2).server!.health.ailment).toBe('event loop stalled');
    expectWhole(run);
  });

  it('stands still for less and keeps what it leads', () => {
    const { world, runMs, leads } = ledWorld(3, UNITS);
    world.host(2).pausedUntilUs = world.scheduler.nowUs + 140_000;
    runMs(1_000);
    expect(leads(2)).toBe(UNITS / 2);
  });

  it('keeps its groups while its peers are no better', () => {
    const run = ledWorld(4, UNITS);
    const { world, runMs, leads } = run;
    for (const host of world.hosts) host.pausedUntilUs = world.scheduler.nowUs + 200_000;
    runMs(2_000);
    expect(leads(1)).toBe(UNITS / 2);
    expect(leads(2)).toBe(UNITS / 2);
    expectWhole(run);
  });

  it('never gives them to a peer that reports the same: the remote one leads if only it is well', () => {
    const run = ledWorld(5, UNITS);
    const { world, runMs, leads } = run;
    for (const id of [1, 2]) world.host(id).pausedUntilUs = world.scheduler.nowUs + 200_000;
    runMs(500);
    expect(leads(3)).toBe(UNITS);
    expectWhole(run);
  });
});

describe('a server whose clock is off', () => {
  it('by over 500 ms gives its groups away, says so, and takes them back when the clock is right', () => {
    const run = ledWorld(6, UNITS);
    const { world, runMs, leads, until, lines } = run;
    world.host(1).clockOffsetMs = -700;
    runMs(300);
    expect(leads(1)).toBe(0);
    expect(leads(2)).toBe(UNITS);
    const { ailment, clockErrorMs } = world.host(1).server!.health;
    expect(ailment).toBe('clock off');
    expect(Math.round(clockErrorMs / 10)).toBe(-70);
    expect(lines.some(({ server, text }) => server === 1 && text.includes('clock off'))).toBe(true);
    world.host(1).clockOffsetMs = 0;
    until('home again', () => leads(1) === UNITS / 2);
    expectWhole(run);
  });

  it('by less keeps what it leads', () => {
    const { world, runMs, leads } = ledWorld(7, UNITS);
    world.host(1).clockOffsetMs = 400;
    runMs(1_000);
    expect(leads(1)).toBe(UNITS / 2);
  });

  it('is the one that differs from both others: theirs are right', () => {
    const { world, runMs, leads } = ledWorld(8, UNITS);
    world.host(3).clockOffsetMs = 60_000;
    runMs(1_000);
    expect(leads(1)).toBe(UNITS / 2);
    expect(leads(2)).toBe(UNITS / 2);
    expect(world.host(1).server!.health.ailment).toBe(null);
    expect(world.host(3).server!.health.ailment).toBe('clock off');
  });
});

describe('a process that ends', () => {
  it('is missed at once: the other city server leads in a fraction of the time that silence takes', () => {
    const run = ledWorld(9, UNITS);
    const { world, leads, until } = run;
    world.kill(1);
    expect(until('led again', () => leads(2) === UNITS)).toBeLessThan(150);
    world.restart(1);
    expectWhole(run);
  });

  it('is missed little longer where the city’s other server was sick and the remote one lacks the last entries', () => {
    const run = ledWorld(11, UNITS);
    const { world, workload, leads, runMs, until } = run;
    world.host(2).pausedUntilUs = world.scheduler.nowUs + 200_000;
    until('all with 1', () => leads(1) === UNITS);
    workload.start(8);
    runMs(500);
    expect(world.host(2).server!.health.ailment).toBe('event loop stalled');
    const lastAt = (id: number) =>
      world.host(id).server!.units.map(({ group }) => group.raft.status().lastIndex);
    expect(lastAt(3).some((last, i) => last < lastAt(2)[i]!)).toBe(true);
    world.kill(1);
    expect(until('led again', () => leads(2) + leads(3) === UNITS)).toBeLessThan(700);
    world.restart(1);
    expectWhole(run);
  });

  it('and is back before anybody was refused a connection shows by its next envelope', () => {
    const run = ledWorld(10, UNITS);
    const { world, leads, until } = run;
    world.host(1).kill();
    world.network.processEnded(1);
    world.restart(1);
    expect(leads(1)).toBe(0);
    expect(until('led again', () => leads(1) + leads(2) === UNITS)).toBeLessThan(250);
    expectWhole(run);
  });
});
