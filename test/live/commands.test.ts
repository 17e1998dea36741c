import { expect, onTestFinished, test } from 'vitest';
import { chain, id, type NewTransfer, pending } from '../../client/index.ts';
import { slotOf } from '../../ledger/slot.ts';
import { slotOwners } from '../../server/core/topology.ts';
import { addressesOf, connect, startCluster, UNITS } from './support/cluster.ts';
import { run } from './support/command.ts';
import { tempFolder } from './support/defer.ts';

const BUDGET_MS = 120_000;
const PARTY = 5n << 64n;
/** Of one party, so that they live in one unit. */
const [BANK, CUSTOMER] = [PARTY | 1n, PARTY | 2n];
const GOLD = 'pledged gold';
const hex = (value: bigint) => `0x${value.toString(16)}`;

function unitOf(account: bigint): number {
  const words = Uint32Array.from([0n, 32n, 64n, 96n], (bits) =>
    Number((account >> bits) & 0xffff_ffffn),
  );
  return slotOwners(UNITS)[slotOf(words, 0)]!;
}

/** An account of another unit than the party's. */
function elsewhere(): bigint {
  let account = PARTY | 3n;
  while (unitOf(account) === unitOf(BANK)) account += 1n << 64n;
  return account;
}

test(
  'the command line adds a ledger and books every kind of transfer in it, and says what it refuses',
  async () => {
    const cluster = await startCluster(onTestFinished, tempFolder(onTestFinished));
    const addresses = addressesOf(cluster);
    let asked = 0;
    /** Each command asks another server. */
    const evenkeel = async (...args: string[]) => {
      const servers = addresses[asked % addresses.length]!;
      asked += 1;
      return await run(onTestFinished, [...args, '--servers', servers]);
    };
    const ok = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await evenkeel(...args);
      expect([args.join(' '), code, stderr]).toEqual([args.join(' '), 0, '']);
      return stdout;
    };
    const refused = async (exit: number, message: string, ...args: string[]): Promise<void> => {
      const { code, stderr } = await evenkeel(...args);
      expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
      expect(stderr).not.toMatch(/^\s+at /m);
    };
    const inGold = ['--ledger', GOLD];
    const [from, to] = [hex(CUSTOMER), hex(BANK)];

    expect(await ok('ledger', 'add', '7', GOLD, '--scale', '3')).toBe(
      `ledger 7 ${GOLD}: created\n`,
    );
    await ok('account', 'create', to, ...inGold, '--code', '1');
    const customer = ['--code', '2', '--debits-must-not-exceed-credits', '--history'];
    await ok('account', 'create', from, ...inGold, ...customer);
    expect(await ok('ledger', 'add', '7', GOLD, '--scale', '3')).toBe(`ledger 7 ${GOLD}: exists\n`);
    await refused(1, 'ledger_differs', 'ledger', 'add', '7', GOLD, '--scale', '2');
    await refused(1, 'ledger_name_taken', 'ledger', 'add', '11', 'eur');
    await refused(2, 'is no code of ISO 4217', 'ledger', 'add', '8', 'ERU');

    await ok('transfer', to, from, '10', ...inGold);
    const [first, second] = [hex(id()), hex(id())];
    const reserve = ['--pending', '--timeout', '3600', '--id'];
    const reserved = await ok('transfer', from, to, '4', ...inGold, ...reserve, first);
    expect(reserved).toContain(`10.000 ${GOLD} (4.000 ${GOLD} of debits pending)`);
    await refused(1, 'exceeds_credits', 'transfer', from, to, '6.001', ...inGold);
    expect(await ok('transfer', '--post', first, '--amount', '1.5')).toContain(`8.500 ${GOLD}\n`);
    await refused(1, 'pending_transfer_already_posted', 'transfer', '--void', first);
    await ok('transfer', from, to, '5', ...inGold, ...reserve, second);
    expect(await ok('transfer', '--void', second)).toContain(`8.500 ${GOLD}\n`);
    const balancing = await ok('transfer', from, to, '100', ...inGold, '--balancing-debit');
    expect(balancing).toContain(`: created, 8.500 ${GOLD}\n`);
    expect(balancing).toContain(`balance of ${from} is now 0.000 ${GOLD}\n`);

    await refused(2, '--post and --void exclude', 'transfer', '--post', '1', '--void', '2');
    await refused(2, '--timeout needs --pending', 'transfer', from, to, '1', '--timeout', '5');
    await refused(1, 'there is no transfer 1', 'transfer', '--post', '1');

    await ok('account', 'create', hex(elsewhere()), ...inGold, '--code', '1');
    await ok('transfer', to, hex(elsewhere()), '1', ...inGold);
    await refused(
      1,
      'not_across_units: transfers[0]',
      ...['transfer', to, hex(elsewhere()), '1', ...inGold, '--pending'],
    );
    expect(await ok('account', 'show', from)).toContain(
      'flags debits-must-not-exceed-credits history',
    );

    const client = connect(onTestFinished, addresses);
    const transferOf = (amount: bigint): NewTransfer => ({
      id: id(),
      debitAccountId: BANK,
      creditAccountId: CUSTOMER,
      amount,
      ledger: 7,
      code: 1,
    });
    const linked = chain([transferOf(1n), pending(transferOf(2n)), transferOf(3n)]);
    const statuses = async (events: readonly NewTransfer[]) =>
      (await client.createTransfers(events)).map(({ status }) => status);
    expect(await statuses(linked)).toEqual(['created', 'created', 'created']);
    expect(await statuses(linked)).toEqual([
      'exists',
      'linked_event_failed',
      'linked_event_failed',
    ]);
    const broken = chain([transferOf(1n), { ...transferOf(1n), code: 0 }]);
    expect(await statuses(broken)).toEqual(['linked_event_failed', 'code_must_not_be_zero']);
    // Refused whole: the plain transfer beside it is not booked either.
    const over = pending({ ...transferOf(1n), creditAccountId: elsewhere() });
    await expect(client.createTransfers([transferOf(1n), over])).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('not_across_units: transfers[1]') as string,
    });
    const [account] = await client.lookupAccounts([CUSTOMER]);
    expect([account!.creditsPosted, account!.creditsPending]).toEqual([10_004n, 2n]);
  },
  BUDGET_MS,
);
