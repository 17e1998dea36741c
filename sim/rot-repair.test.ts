import { expect, test, vi } from 'vitest';
import { findFaults, settled } from './checks.ts';
import { Random } from './random.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

// A byte of one server's log rots while it is down. It comes back without what lay behind, is given it again by its
// peers, and only then votes; no answered transfer is lost, though another server dies before or after.

// A rehearsal is some seconds of load; machines are busy at times.
vi.setConfig({ testTimeout: 60_000 });

const SECOND_US = 1_000_000;
const ROTTEN = 2;
const RECORDS_OFFSET = 12_288;
/** More with EVENKEEL_ROT_SEEDS set. */
const SEEDS = Number(process.env.EVENKEEL_ROT_SEEDS ?? 2);

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`entries that rot took come back from the peers, seed ${seed}`, () => {
    const random = new Random(seed, 'rot');
    const lines: string[] = [];
    const world = new World({
      seed,
      units: 2,
      server: { logKeepBytes: random.chance(0.5) ? 8 << 10 : 64 << 20 },
      log: (_us, server, _level, text) => lines.push(`${server} ${text}`),
    });
    const workload = new Workload(world, seed, 30);
    const { scheduler } = world;
    const run = (what: string, until: () => boolean) => {
      scheduler.run(scheduler.nowUs + 60 * SECOND_US, until);
      if (!until()) throw new Error(`not within 60 s: ${what}\n${lines.slice(-30).join('\n')}`);
    };
    const book = (count: number) => {
      const from = workload.answered;
      run(`${count} transfers`, () => workload.answered >= from + count);
    };
    world.start();
    workload.createAccounts();
    run('accounts', () => workload.accountsCreated);
    workload.start(8);
    const rotten = world.host(ROTTEN);
    // Far ahead of the books, which would cover the loss.
    rotten.booksSlowness = 500;
    book(300 + random.below(200));
    world.kill(ROTTEN, random.chance(0.5) ? 'kept' : 'lost');
    if (random.chance(0.5)) book(100);
    const segments = rotten.disk.list().filter((name) => name.endsWith('.seg'));
    const name = segments[random.below(segments.length)]!;
    const bytes = rotten.disk.read(name, 0, rotten.disk.size(name));
    // Not between the records, and below what the marks vouch for.
    const inRecords = [...bytes.keys()].filter((at) => at >= RECORDS_OFFSET && bytes[at] !== 0);
    const flipped = inRecords[random.below(Math.floor(inRecords.length * 0.9))]!;
    rotten.disk.flipBit(name, flipped, 3);
    rotten.booksSlowness = 1;
    world.restart(ROTTEN);
    expect(lines.join('\n')).toContain('votes for nobody before it has fetched what is lost');
    const groups = () => rotten.server!.units.map(({ group }) => group.raft.status());
    expect(groups().every(({ recovering }) => recovering)).toBe(true);
    if (random.chance(0.5)) {
      scheduler.run(scheduler.nowUs + random.below(100_000));
      const leader = groups()[0]!.leader;
      if (leader !== 0 && leader !== ROTTEN) {
        world.kill(leader);
        scheduler.run(scheduler.nowUs + random.below(2 * SECOND_US));
        world.restart(leader);
      }
    }
    run('all that it had', () => groups().every(({ recovering }) => !recovering));
    book(50);
    // Its vote, and what it holds, count again.
    world.kill(1);
    book(100);
    world.restart(1);
    workload.stop();
    run('all answered', () => workload.idle);
    run('all books equal', () => settled(world));
    expect(findFaults(world, workload.bookings)).toEqual([]);
  });
}

test('a server without peers does not wait for what nobody else has', () => {
  const world = new World({ seed: 1, units: 1, servers: [{ id: 1, zone: 'hz1' }] });
  world.start();
  world.scheduler.run(world.scheduler.nowUs + SECOND_US);
  world.kill(1);
  world.host(1).disk.flipBit('log-00000001.seg', RECORDS_OFFSET + 8, 3);
  expect(() => world.restart(1)).toThrow('no other server to fetch what is lost from');
});
