import { beforeAll, describe, expect, it } from 'vitest';
import { accountId, id, TransferFlag } from '../../client/index.ts';
import { formatId } from '../../cmd/parse.ts';
import { addressesOf, connect, startCluster } from './support/cluster.ts';
import { run } from './support/command.ts';
import { forFile, tempFolder } from './support/defer.ts';

const LEDGER = 978;
const TAG = 4_711n;
const defer = forFile();
const [alice, bob] = [accountId(7n), accountId(7n)];
let servers = '';
let between = 0n;

beforeAll(async () => {
  const cluster = await startCluster(defer, tempFolder(defer));
  servers = addressesOf(cluster).join(',');
  const client = connect(defer, addressesOf(cluster));
  await client.createAccounts([alice, bob].map((one) => ({ id: one, ledger: LEDGER, code: 1 })));
  const transfer = (amount: bigint, flags = 0, timeout = 0) =>
    client.transfer({
      id: id(),
      debitAccountId: alice,
      creditAccountId: bob,
      amount,
      ledger: LEDGER,
      code: 1,
      userData64: TAG + amount,
      flags,
      timeout,
    });
  between = (await transfer(1_250n)).timestamp;
  await transfer(500n, TransferFlag.pending, 1);
  await transfer(75n);
});

const evenkeel = (...args: string[]) => run(defer, [...args, '--servers', servers]);

function linesOf(stdout: string): Record<string, unknown>[] {
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('reading by command', { timeout: 60_000 }, () => {
  it('shows the balance of now and of then', async () => {
    const now = await evenkeel('balance', formatId(alice));
    expect(now.stdout).toContain('balance  -13.25 EUR');
    const then = await evenkeel('balance', formatId(bob), '--at', `${between}`, '--json');
    expect(linesOf(then.stdout)).toMatchObject([{ creditsPosted: '1250', final: true }]);
    const before = await evenkeel('balance', formatId(bob), '--at', '1999-12-31');
    expect(before).toMatchObject({ code: 1, stdout: '' });
    expect(before.stderr).toContain('not yet at 1999-12-31');
  });

  it('shows a statement with the balance after each line', async () => {
    const { stdout, code } = await evenkeel('statement', formatId(alice), '--json');
    expect(code).toBe(0);
    expect(linesOf(stdout).map(({ change, balance }) => [change, balance])).toEqual([
      ['-1250', '-1250'],
      ['0', '-1250'],
      ['-75', '-1325'],
    ]);
    const text = await evenkeel('statement', formatId(alice), '--limit', '1');
    expect(text.stdout).toMatch(/-0\.75 EUR +-13\.25 EUR/);
    expect(text.stdout).not.toContain('12.50 EUR');
  });

  it('finds transfers and accounts by what they carry', async () => {
    const found = await evenkeel('query', 'transfers', '--user-data-64', `${TAG + 75n}`, '--json');
    expect(linesOf(found.stdout)).toMatchObject([{ amount: '75' }]);
    const cheap = ['--ledger', 'EUR', '--amount-max', '5.00', '--reversed', '--json'];
    const few = await evenkeel('query', 'transfers', ...cheap);
    expect(linesOf(few.stdout).map(({ amount }) => amount)).toEqual(['75', '500']);
    const accounts = await evenkeel('query', 'accounts', '--code', '1', '--json');
    expect(linesOf(accounts.stdout).map((account) => account.id)).toEqual([
      formatId(alice),
      formatId(bob),
    ]);
    const wrong = await evenkeel('query', 'transfers', '--amount-min', '5.00');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });

  it('watches from the beginning, live, until it has seen enough', async () => {
    const { stdout, code } = await evenkeel('watch', '--from', '0', '--count', '6', '--json');
    expect(code).toBe(0);
    const events = linesOf(stdout);
    expect(events.map(({ kind }) => kind)).toEqual([
      'account_created',
      'account_created',
      'transfer',
      'pending',
      'transfer',
      'expired',
    ]);
    expect(events.at(-1)).toMatchObject({
      pendingTransfer: { amount: '500', pendingState: 'expired' },
      debitAccount: { debitsPending: '0', debitsPosted: '1325' },
    });
  });
});
