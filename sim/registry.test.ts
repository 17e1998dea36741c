import { describe, expect, it } from 'vitest';
import { AccountWord, RECORD_WORDS, ResultWord } from '../ledger/layout.ts';
import { AccountStatus } from '../ledger/status.ts';
import type { LedgerDefinition } from '../server/core/topology.ts';
import { World } from './world.ts';

const seed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;
const SECOND_US = 1_000_000;
/** The one that the simulated servers are configured with. */
const EUR: LedgerDefinition = { ledger: 978, currency: 'EUR', scale: 2 };
const POINTS: LedgerDefinition = { ledger: 7, currency: 'Points', scale: 0 };

function start() {
  const warnings: string[] = [];
  const world = new World({
    seed,
    units: 2,
    log: (_timeUs, server, level, text) => {
      if (level === 'warn') warnings.push(`${server}: ${text}`);
    },
  });
  world.start();
  return { world, warnings };
}

function run(world: World, what: string, until: () => boolean): void {
  const { scheduler } = world;
  scheduler.run(scheduler.nowUs + 20 * SECOND_US, until);
  if (!until()) throw new Error(`not within 20 s: ${what}`);
}

/** Answer of a create, by the server that takes it; null until it has come. */
function create(world: World, server: number, ledger: LedgerDefinition) {
  const asked = { answer: null as string | null };
  world.host(server).server!.ledgers.create(ledger, (error, existed) => {
    asked.answer = error?.code ?? (existed ? 'existed' : 'created');
  });
  return asked;
}

function createAndWait(world: World, server: number, ledger: LedgerDefinition): string {
  const asked = create(world, server, ledger);
  run(world, `ledger ${ledger.ledger}`, () => asked.answer !== null);
  return asked.answer!;
}

const knownTo = (world: World) =>
  [1, 2, 3].map((id) => world.host(id).server!.registry.knowsLedger(POINTS.ledger));

/** Status of an account of that ledger, created through that server. */
function openAccount(world: World, server: number, ledger: number): number | string {
  const record = new Uint32Array(RECORD_WORDS);
  record[AccountWord.id] = server;
  record[AccountWord.ledger] = ledger;
  record[AccountWord.codeAndFlags] = 1;
  let answer: number | string | null = null;
  world.host(server).server!.gateway.createAccounts(record, 1, (error, words) => {
    answer = error?.code ?? words[ResultWord.status]!;
  });
  run(world, 'account', () => answer !== null);
  return answer!;
}

function leaderOf(world: World): number {
  const leading = (id: number) => world.host(id).server?.registry.group.serving === true;
  run(world, 'a leader of the registry', () => [1, 2, 3].some(leading));
  return [1, 2, 3].find(leading)!;
}

describe('a ledger that is added to a running cluster', () => {
  it('is served by every server once it is acknowledged, also by one that has not heard of it', () => {
    const { world } = start();
    leaderOf(world);
    expect(openAccount(world, 2, POINTS.ledger)).toBe('unknown_ledger');
    expect(createAndWait(world, 1, POINTS)).toBe('created');
    // Else this test shows nothing.
    const behind = knownTo(world).lastIndexOf(false) + 1;
    expect(behind).toBeGreaterThan(0);
    expect(openAccount(world, behind, POINTS.ledger)).toBe(AccountStatus.created);
    expect(createAndWait(world, behind, POINTS)).toBe('existed');
  });

  it('never changes, whoever asks first', () => {
    const { world } = start();
    leaderOf(world);
    const asked = [1, 2, 3].map((id) => create(world, id, { ...POINTS, scale: id }));
    run(world, 'three answers', () => asked.every(({ answer }) => answer !== null));
    const answers = asked.map(({ answer }) => String(answer));
    expect(answers.toSorted()).toEqual(['created', 'ledger_differs', 'ledger_differs']);
    const scale = answers.indexOf('created') + 1;
    expect(createAndWait(world, 1, { ...POINTS, scale })).toBe('existed');
    expect(createAndWait(world, 1, { ...POINTS, scale: scale + 1 })).toBe('ledger_differs');
  });

  it('has a name of its own, whoever asks first, in upper or lower case', () => {
    const { world } = start();
    leaderOf(world);
    expect(createAndWait(world, 2, { ...EUR, ledger: 11, currency: 'eur' })).toBe(
      'ledger_name_taken',
    );
    const names = ['POINTS', 'points', 'Points'];
    const asked = names.map((currency, i) =>
      create(world, i + 1, { ledger: i + 1, currency, scale: 0 }),
    );
    run(world, 'three answers', () => asked.every(({ answer }) => answer !== null));
    const answers = asked.map(({ answer }) => String(answer));
    expect(answers.toSorted()).toEqual(['created', 'ledger_name_taken', 'ledger_name_taken']);
    const first = answers.indexOf('created');
    const again = { ledger: first + 1, currency: names[first]!, scale: 0 };
    expect(createAndWait(world, 1, again)).toBe('existed');
  });

  it('is there once, though the leader that took it ends before it answers', () => {
    const { world } = start();
    const leader = leaderOf(world);
    const through = leader === 3 ? 2 : 3;
    const asked = create(world, through, POINTS);
    run(world, 'the entry', () => {
      const { lastIndex, commit } = world.host(leader).server!.registry.group.raft.status();
      return lastIndex > commit;
    });
    world.kill(leader);
    run(world, 'an answer', () => asked.answer !== null);
    expect(['created', 'existed']).toContain(asked.answer);
    expect(createAndWait(world, through, POINTS)).toBe('existed');
  });

  it('survives the end of all servers, whose configurations do not name it', () => {
    const { world, warnings } = start();
    leaderOf(world);
    createAndWait(world, 3, POINTS);
    for (const id of [1, 2, 3]) world.kill(id);
    for (const id of [1, 2, 3]) world.restart(id);
    run(world, 'the ledger everywhere', () => knownTo(world).every((known) => known));
    expect(warnings).toEqual([]);
    let listed: readonly LedgerDefinition[] | null = null;
    world.host(2).server!.ledgers.list((ledgers) => {
      listed = ledgers;
    });
    run(world, 'the list', () => listed !== null);
    expect(listed).toEqual([POINTS, EUR]);
  });
});
