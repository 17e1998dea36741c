import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { accountId, type EvenkeelClient, id } from '../../client/index.ts';
import { isFree } from '../../server/node/free-ports.ts';
import { connect } from './support/cluster.ts';
import { Command } from './support/command.ts';
import { forFile, tempFolder } from './support/defer.ts';
import { serversIn } from './support/processes.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 60_000;
const START_MS_MAX = 30_000;
/** A server has 3 s for its books, and 5 s before it is killed. */
const STOP_MS_MAX = 12_000;
const RESTART_MS_MAX = 1_000;
const USERS = [7401, 7402, 7403];
const PEERS = [7411, 7412, 7413];
const ADDRESSES = USERS.map((port) => `127.0.0.1:${port}`);
const LEDGER = 978;

const dataDir = join(tempFolder(forFile()), 'data');
const [alice, bob] = [accountId(), accountId()];
/** What alice has paid bob so far, over all tests: every start must know it. */
let paid = 0n;

let taken: number | undefined;
beforeEach(async ({ skip }) => {
  taken = undefined;
  for (const port of [...USERS, ...PEERS]) if (!(await isFree(port))) taken ??= port;
  skip(taken !== undefined, `port ${taken} is in use on this machine`);
});

// Whatever a test has started is gone before the next one needs the ports.
afterEach(async () => {
  if (taken !== undefined) return;
  await until('no server to be left', STOP_MS_MAX, () => serversIn(dataDir).length === 0);
});

async function up(): Promise<Command> {
  const command = new Command(onTestFinished, ['up', '--data', dataDir]);
  await command.says('stdout', /Ctrl-C stops all three/, START_MS_MAX);
  return command;
}

async function pay(client: EvenkeelClient, amount: bigint): Promise<void> {
  const transfer = { id: id(), debitAccountId: alice, creditAccountId: bob, amount };
  const result = await client.transfer({ ...transfer, ledger: LEDGER, code: 1 });
  expect(result.ok).toBe(true);
  paid += amount;
}

async function expectPaid(client: EvenkeelClient): Promise<void> {
  const [a, b] = await client.lookupAccounts([alice, bob]);
  expect([a!.debitsPosted, b!.creditsPosted]).toEqual([paid, paid]);
}

function pidOf(zoneAndId: string): number {
  const [server] = serversIn(join(dataDir, zoneAndId));
  if (server === undefined) throw new Error(`${zoneAndId} does not run`);
  return server.pid;
}

describe('evenkeel up', () => {
  test(
    'says where it listens, and ends with Ctrl-C, exit code 0 and no process left',
    async () => {
      const command = await up();
      const rows = command.stdout.split('\n').map((line) => line.split(/\s+/));
      expect(rows.slice(1, 4)).toEqual([
        ['1', 'hz1', ADDRESSES[0]],
        ['2', 'hz2', ADDRESSES[1]],
        ['3', 'sh1', ADDRESSES[2]],
      ]);
      expect(command.stdout).toContain(dataDir);
      const accounts = [alice, bob].map((account) => ({ id: account, ledger: LEDGER, code: 1 }));
      await connect(onTestFinished, ADDRESSES).createAccounts(accounts);
      for (const address of ADDRESSES) await pay(connect(onTestFinished, [address]), 100n);

      expect(command.members().length).toBeGreaterThanOrEqual(4);
      command.signalGroup('SIGINT');
      expect(await command.ended).toEqual({ code: 0, signal: null });
      expect(command.members()).toEqual([]);
    },
    BUDGET_MS,
  );

  test(
    'finds the old balances when it is started again, and starts a killed server within a second',
    async () => {
      const command = await up();
      const client = connect(onTestFinished, ADDRESSES);
      await expectPaid(client);
      for (const [i, zone] of ['hz1-1', 'hz2-2', 'sh1-3'].entries()) {
        const pid = pidOf(zone);
        process.kill(pid, 'SIGKILL');
        const said = new RegExp(`server ${i + 1} was started again`);
        await command.says('stderr', said, RESTART_MS_MAX);
        expect(pidOf(zone)).not.toBe(pid);
        // It is of use again: a client that knows this server alone is served.
        await pay(connect(onTestFinished, [ADDRESSES[i]!]), 1n);
      }
      expect(command.stderr).toContain('was ended by SIGKILL');
      await expectPaid(client);
      command.signalGroup('SIGINT');
      expect((await command.ended).code).toBe(0);
      expect(command.members()).toEqual([]);
    },
    BUDGET_MS,
  );

  test(
    'lets requests wait while two servers are held, and then loses none',
    async () => {
      const command = await up();
      const client = connect(onTestFinished, ADDRESSES);
      await pay(client, 1n);
      const held = ['hz1-1', 'sh1-3'].map(pidOf);
      for (const pid of held) process.kill(pid, 'SIGSTOP');
      // What was on its way is settled: from here nothing can commit.
      await sleep(500);
      let answered = 0;
      const requests = Array.from({ length: 100 }, async () => {
        await pay(client, 1n);
        answered += 1;
      });
      await sleep(4_000);
      expect(answered).toBe(0);
      for (const pid of held) process.kill(pid, 'SIGCONT');
      await Promise.all(requests);
      for (const address of ADDRESSES) await expectPaid(connect(onTestFinished, [address]));
      command.signal('SIGTERM');
      expect((await command.ended).code).toBe(0);
      expect(command.members()).toEqual([]);
    },
    BUDGET_MS,
  );

  test(
    'leaves no server behind when it is killed, also a paused one, and nothing acknowledged is lost',
    async () => {
      const first = await up();
      await pay(connect(onTestFinished, ADDRESSES), 7n);
      process.kill(pidOf('hz2-2'), 'SIGSTOP');
      first.signal('SIGKILL');
      expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
      await until('the servers to end', STOP_MS_MAX, () => first.members().length === 0);
      expect(serversIn(dataDir)).toEqual([]);

      const second = await up();
      await expectPaid(connect(onTestFinished, ADDRESSES));
      second.signalGroup('SIGINT');
      expect((await second.ended).code).toBe(0);
    },
    BUDGET_MS,
  );

  test(
    'ends at once with Ctrl-C while it starts, and can be started again',
    async () => {
      const command = new Command(onTestFinished, ['up', '--data', dataDir]);
      await until('the servers', START_MS_MAX, () => serversIn(dataDir).length === 3);
      command.signalGroup('SIGINT');
      expect((await command.ended).code).toBe(0);
      expect(command.members()).toEqual([]);
      expect(existsSync(join(dataDir, 'cluster.json'))).toBe(true);

      const again = await up();
      await expectPaid(connect(onTestFinished, ADDRESSES));
      again.signalGroup('SIGINT');
      expect((await again.ended).code).toBe(0);
    },
    BUDGET_MS,
  );
});
