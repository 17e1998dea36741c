import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  accountId,
  type Balances,
  type EvenkeelClient,
  id,
  type LedgerEvent,
  TransferFlag,
} from '../../client/index.ts';
import { clientsOf, startCluster, UNITS, zoneClientsOf } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';
import { seededRandom } from './support/seed.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 180_000;
const TRANSFERS = 300;
/** Every server dies twice while it reads and books. */
const KILLS = 6;
const LEDGER = 978;
/** Every so many transfers one is reserved first and then posted. */
const PENDING_EVERY = 4;

/** What the test knows of an account. */
interface Sums {
  debits: bigint;
  credits: bigint;
}

test(
  'what is acknowledged shows in every kind of read through every zone, also while leaders move',
  async () => {
    const { random } = seededRandom('reads');
    const cluster = await startCluster(onTestFinished, tempFolder(onTestFinished));
    const writers = clientsOf(onTestFinished, cluster);
    const zones = zoneClientsOf(onTestFinished, cluster);
    // Two parties, so that some transfers stay in a unit and others, most likely, cross.
    const party = BigInt(random.integer(1, 2 ** 31));
    const accounts = [accountId(party), accountId(party), accountId(), accountId()];
    await writers[0]!.createAccounts(
      accounts.map((account) => ({ id: account, ledger: LEDGER, code: 1, userData64: party })),
    );
    const sums: Sums[] = accounts.map(() => ({ debits: 0n, credits: 0n }));
    const moments: Moment[] = [];
    const watchers = new Watchers(writers);

    let kills = 0;
    let booking = true;
    const killing = (async () => {
      while (booking) {
        await sleep(random.integer(1_000, 2_000));
        const server = 1 + (kills % 3);
        cluster.kill(server);
        kills += 1;
        await until(`${server} down`, 5_000, () => cluster.server(server).state !== 'ready');
        await until(`${server} up`, 30_000, () => cluster.server(server).state === 'ready');
      }
    })();

    const leaders = new Set<string>();
    for (let n = 0; n < TRANSFERS || kills < KILLS; n += 1) {
      const pair = [0, 1, 2, 3];
      // A post stays within its unit: both accounts are of one party.
      const isPosted = n % PENDING_EVERY === 0;
      if (!isPosted) random.shuffle(pair);
      const [from, to] = pair as [number, number];
      const transfer = {
        id: id(),
        debitAccountId: accounts[from]!,
        creditAccountId: accounts[to]!,
        amount: BigInt(random.integer(1, 1_000)),
        ledger: LEDGER,
        code: 1,
        userData64: party + BigInt(n),
      };
      const flags = isPosted ? TransferFlag.pending : 0;
      const booked = await writers[n % 3]!.transfer({ ...transfer, flags });
      expect(booked.ok).toBe(true);
      if (isPosted) {
        const post = { ...transfer, id: id(), pendingId: transfer.id };
        const flags = TransferFlag.postPendingTransfer;
        expect((await writers[(n + 1) % 3]!.transfer({ ...post, flags })).ok).toBe(true);
      }
      sums[from]!.debits += transfer.amount;
      sums[to]!.credits += transfer.amount;
      const wanted: Wanted = {
        transfer: { ...transfer, state: isPosted ? 'posted' : 'none' },
        party,
        accounts,
        sums,
        moment: moments.length === 0 ? null : moments[random.integer(0, moments.length - 1)]!,
      };
      const seen = await Promise.all(zones.map((zone) => readAll(zone, wanted)));
      moments.push(seen[0]!);
      if (n % 10 === 0) {
        const { units } = await writers[0]!.topology();
        for (const unit of units) leaders.add(`${unit.id} led by ${unit.leaderServerId}`);
      }
    }
    booking = false;
    await killing;
    await watchers.check(accounts, sums);
    console.log(`${kills} servers killed; ${[...leaders].sort().join(', ')}`);
    expect(leaders.size).toBeGreaterThan(4);
  },
  BUDGET_MS,
);

/** An account's balances right after one of its transfers. */
interface Moment {
  readonly account: bigint;
  readonly at: bigint;
  readonly balances: Balances;
}

interface Wanted {
  readonly transfer: {
    readonly id: bigint;
    readonly debitAccountId: bigint;
    readonly amount: bigint;
    readonly userData64: bigint;
    readonly state: string;
  };
  readonly party: bigint;
  readonly accounts: readonly bigint[];
  readonly sums: readonly Sums[];
  readonly moment: Moment | null;
}

/** Every read that there is must show the transfer and what it did. */
async function readAll(zone: EvenkeelClient, wanted: Wanted): Promise<Moment> {
  const { transfer, accounts, sums, party, moment } = wanted;
  const { id: transferId, debitAccountId: account, userData64 } = transfer;
  const balances = sums.map(({ debits, credits }) => [debits, credits]);
  const debit = balances[accounts.indexOf(account)];
  const [looked, found, statement, balance, queried, owners, past] = await Promise.all([
    zone.lookupAccounts(accounts),
    zone.lookupTransfers([transferId]),
    zone.accountTransfers(account, { reversed: true, limit: 1, balances: true }),
    zone.accountBalance(account),
    zone.transferPage({ userData64, limit: 2 }),
    zone.accountPage({ userData64: party }),
    moment === null ? null : zone.accountBalance(moment.account, moment.at),
  ]);
  const posted = ({ debitsPosted, creditsPosted }: Balances) => [debitsPosted, creditsPosted];
  expect(looked.map(posted)).toEqual(balances);
  expect(found).toMatchObject([{ amount: transfer.amount, pendingState: transfer.state }]);
  expect(posted(statement.account)).toEqual(debit);
  const newest = statement.transfers[0]!;
  expect(transfer.state === 'none' ? newest.id : newest.pendingId).toBe(transferId);
  expect(posted(newest.balances!)).toEqual(debit);
  expect(posted(balance)).toEqual(debit);
  expect(queried.rows[0]!.id).toBe(transferId);
  expect(queried.rows).toHaveLength(transfer.state === 'none' ? 1 : 2);
  expect(owners.rows.map((row) => [row.id, ...posted(row)]).sort(byId)).toEqual(
    accounts.map((account, i) => [account, ...balances[i]!]).sort(byId),
  );
  if (past !== null) expect(past).toEqual({ ...moment!.balances, ledger: LEDGER, final: true });
  return { account, at: newest.bookedTimestamp, balances: newest.balances! };
}

function byId(a: readonly bigint[], b: readonly bigint[]): number {
  return a[0]! < b[0]! ? -1 : 1;
}

/** Follows every unit all the time, each through whichever zone is up. */
class Watchers {
  readonly #events: LedgerEvent[][] = [];
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>[] = [];

  constructor(clients: readonly EvenkeelClient[]) {
    for (let unit = 1; unit <= UNITS; unit += 1) {
      const events: LedgerEvent[] = [];
      this.#events.push(events);
      this.#watching.push(this.#follow(clients[unit % clients.length]!, unit, events));
    }
  }

  async #follow(client: EvenkeelClient, unit: number, events: LedgerEvent[]): Promise<void> {
    for await (const event of client.watch({ unit, signal: this.#ending.signal })) {
      events.push(event);
    }
  }

  /** No event came twice or was left out, and the last balances are those that all was summed up to. */
  async check(accounts: readonly bigint[], sums: readonly Sums[]): Promise<void> {
    const wanted = accounts.map((account, i) => [account, sums[i]!.debits, sums[i]!.credits]);
    const read = () => accounts.map((account) => [account, ...this.#lastOf(account)]);
    await until('all events', 30_000, () => read().join() === wanted.join());
    this.#ending.abort();
    await Promise.all(this.#watching);
    for (const events of this.#events) {
      const times = events.map(({ timestamp }) => timestamp);
      expect(times).toEqual([...new Set(times)].sort((a, b) => (a < b ? -1 : 1)));
    }
    expect(this.#sumsOf(accounts)).toEqual(wanted);
  }

  /** Balances after the last event of the account. */
  #lastOf(account: bigint): bigint[] {
    for (const events of this.#events) {
      for (const event of events.toReversed()) {
        const balances = sidesOf(event).find(([id]) => id === account)?.[1];
        if (balances) return [balances.debitsPosted, balances.creditsPosted];
      }
    }
    return [0n, 0n];
  }

  /** The same from the amounts alone. */
  #sumsOf(accounts: readonly bigint[]): bigint[][] {
    return accounts.map((account) => {
      let [debits, credits] = [0n, 0n];
      for (const event of this.#events.flat()) {
        if (event.kind !== 'transfer' && event.kind !== 'posted') continue;
        const { debitAccountId, creditAccountId, amount } = event.transfer;
        if (debitAccountId === account && event.debitAccount !== null) debits += amount;
        if (creditAccountId === account && event.creditAccount !== null) credits += amount;
      }
      return [account, debits, credits];
    });
  }
}

function sidesOf(event: LedgerEvent): [bigint, Balances | null][] {
  if (event.kind === 'account_created') return [];
  const { debitAccountId, creditAccountId } =
    event.kind === 'expired' ? event.pendingTransfer : event.transfer;
  return [
    [debitAccountId, event.debitAccount],
    [creditAccountId, event.creditAccount],
  ];
}
