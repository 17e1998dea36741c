import { expect, test, vi } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import { findFaults, settled } from './checks.ts';
import { Random } from './random.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

// A server that was down until its peers' logs had gone on without it copies the books of their leaders, while
// the clients go on; whoever dies meanwhile, all books are equal in the end and no answered transfer is lost.

// A rehearsal is some seconds of load; machines are busy at times.
vi.setConfig({ testTimeout: 60_000 });

const SECOND_US = 1_000_000;
/** With EVENKEEL_EXHAUSTIVE set each death is tried with the commit under way lost and kept, else one of the two. */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
const LATE = 3;
const UNITS = 2;

class Rehearsal {
  readonly world: World;
  readonly workload: Workload;
  readonly lines: string[] = [];
  readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed, 'catch-up');
    this.world = new World({
      seed,
      units: UNITS,
      server: { logKeepBytes: 8 << 10 },
      log: (_us, server, _level, text) => this.lines.push(`${server} ${text}`),
    });
    this.workload = new Workload(this.world, seed, 30);
    this.world.start();
    this.workload.createAccounts();
    this.run(20, 'accounts', () => this.workload.accountsCreated);
    this.workload.start(8);
  }

  run(seconds: number, what: string, until: () => boolean): void {
    const { scheduler } = this.world;
    scheduler.run(scheduler.nowUs + seconds * SECOND_US, until);
    if (!until())
      throw new Error(`not within ${seconds} s: ${what}\n${this.lines.slice(-30).join('\n')}`);
  }

  book(count: number): void {
    const from = this.workload.answered;
    this.run(30, `${count} transfers`, () => this.workload.answered >= from + count);
  }

  /** The late server's next entries are in nobody's log any more. */
  leaveBehind(): void {
    const before = this.heldBy(LATE);
    this.world.kill(LATE);
    this.run(60, 'compaction', () =>
      [1, 2].every((id) => this.firstKept(id).every((first, i) => first > before[i]! + 1)),
    );
  }

  heldBy(id: number): number[] {
    return this.world.host(id).server!.units.map((unit) => unit.group.raft.status().lastIndex);
  }

  firstKept(id: number): number[] {
    const { server } = this.world.host(id);
    return server === null ? Array(UNITS).fill(0) : server.units.map((unit) => unit.firstLogIndex);
  }

  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  end(): void {
    this.workload.stop();
    this.run(60, 'all answered', () => this.workload.idle);
    this.run(60, 'all books equal', () => settled(this.world));
    expect(findFaults(this.world, this.workload.bookings)).toEqual([]);
  }
}

test('it comes back while clients go on, and has the same books', () => {
  const rehearsal = new Rehearsal(1);
  rehearsal.book(200);
  rehearsal.leaveBehind();
  rehearsal.world.restart(LATE);
  rehearsal.book(400);
  rehearsal.end();
  expect(rehearsal.count(`${LATE} unit 1: books installed`)).toBe(1);
  expect(rehearsal.count(`${LATE} unit 2: books installed`)).toBe(1);
});

test('a newer offer that comes while books are installed changes nothing', () => {
  const rehearsal = new Rehearsal(4);
  const { world } = rehearsal;
  rehearsal.book(200);
  rehearsal.leaveBehind();
  world.restart(LATE);
  const late = world.host(LATE).server!;
  const installing = () => late.units.find(({ isInstalling }) => isInstalling);
  rehearsal.run(30, 'an installation', () => installing() !== undefined);
  const { unit, group } = installing()!;
  const { term, commit, leader } = group.raft.status();
  const membership = votersOnly([1, 2, LATE]);
  const offer = { from: leader, to: LATE, term, index: commit + 1, logTerm: term, membership };
  late.receive(leader, { type: 'raft', unit, message: { type: 'snapshot', ...offer } });
  late.turn();
  rehearsal.book(100);
  rehearsal.end();
});

test('it does not start over a log that begins behind its books', () => {
  const rehearsal = new Rehearsal(2);
  rehearsal.leaveBehind();
  rehearsal.world.restart(LATE);
  rehearsal.run(30, 'books', () => rehearsal.count(`${LATE} unit 1: books installed`) > 0);
  rehearsal.book(50);
  rehearsal.world.kill(LATE);
  rehearsal.world.host(LATE).loseBooks();
  expect(() => rehearsal.world.restart(LATE)).toThrow('books_behind');
});

test('C142 it does not start over books whose log is gone, and with it all that it had promised', () => {
  const rehearsal = new Rehearsal(3);
  rehearsal.book(100);
  rehearsal.run(30, 'books', () => rehearsal.world.host(LATE).books.get(1)!.index() > 0);
  rehearsal.world.kill(LATE);
  rehearsal.world.host(LATE).loseLog();
  expect(() => rehearsal.world.restart(LATE)).toThrow('log_lost');
});

test.each([
  ['when it has begun', 'copying the books', 'lost'],
  ['when its core has taken the state, before the switch', 'installing books', 'kept'],
  ['when the books are new and the log is old', 'books installed', 'lost'],
] as const)('it dies %s', (_when, line, short) => {
  for (const [seed, inFlight] of [
    [20, 'lost'],
    [21, 'kept'],
  ] as const) {
    if (!EXHAUSTIVE && inFlight !== short) continue;
    const rehearsal = new Rehearsal(seed);
    const { world } = rehearsal;
    rehearsal.leaveBehind();
    world.restart(LATE);
    rehearsal.run(30, line, () => rehearsal.count(`${LATE} unit 1: ${line}`) > 0);
    world.kill(LATE, inFlight);
    rehearsal.book(50);
    world.restart(LATE);
    rehearsal.book(50);
    rehearsal.end();
    for (const unit of [1, 2]) {
      expect(rehearsal.count(`${LATE} unit ${unit}: books installed`)).toBeGreaterThan(0);
    }
  }
});

/** More with EVENKEEL_CATCH_UP_SEEDS set. */
const SEEDS = Number(process.env.EVENKEEL_CATCH_UP_SEEDS ?? (EXHAUSTIVE ? 2 : 1));

for (const victim of ['the late server', 'the leader'] as const) {
  test(`${victim} dies at any time meanwhile`, { timeout: 30_000 * SEEDS }, () => {
    for (let seed = 10; seed < 10 + SEEDS; seed += 1) {
      const rehearsal = new Rehearsal(seed);
      const { world, random } = rehearsal;
      rehearsal.book(100);
      rehearsal.leaveBehind();
      world.restart(LATE);
      rehearsal.run(30, 'a copy', () => rehearsal.count(`${LATE} unit`) > 0);
      world.scheduler.run(world.scheduler.nowUs + random.below(60_000));
      const leader = world.hosts.find(
        (host) => host.id !== LATE && host.server!.units.some((unit) => unit.group.serving),
      );
      const killed = victim === 'the leader' ? leader!.id : LATE;
      world.kill(killed, random.chance(0.5) ? 'kept' : 'lost');
      world.scheduler.run(world.scheduler.nowUs + 200_000 + random.below(2_000_000));
      world.restart(killed);
      rehearsal.book(100);
      rehearsal.end();
      expect(rehearsal.count('books installed')).toBeGreaterThan(0);
    }
  });
}
