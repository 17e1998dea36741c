import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  AccountWord,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  Leg,
  RECORD_WORDS,
  TransferRowWord,
  TransferWord,
} from '../ledger/layout.ts';
import { slotOf } from '../ledger/slot.ts';
import { TRANSIENT_TRANSFER_STATUSES, TransferStatus } from '../ledger/status.ts';
import type { Books, LookUp } from '../server/core/books.ts';
import type { LedgerUnit } from '../server/core/ledger-unit.ts';
import { preferredLeader } from '../server/core/topology.ts';
import type { Intent } from './swarm-workload.ts';
import type { World } from './world.ts';

/** What is wrong once all is settled: empty if nothing is. */
export function findSwarmFaults(world: World, intents: readonly Intent[]): string[] {
  const units = world.hosts[0]!.server!.units;
  return [
    ...unequalReplicas(world),
    ...units.flatMap((unit) => wrongSums(unit)),
    ...wrongClearing(units),
    ...leftDecisions(units),
    ...wrongOutcomes(world, units, intents),
  ];
}

/** Every unit is led by the server that should lead it. */
export function leadersAreHome(world: World): boolean {
  return world.hosts.every((host) =>
    host.server!.units.every(
      (unit) => unit.group.serving === (preferredLeader(world.topology, unit.unit) === host.id),
    ),
  );
}

export function unequalReplicas(world: World): string[] {
  const faults: string[] = [];
  const [first, ...others] = world.hosts;
  first!.server!.units.forEach((unit, i) => {
    const books = booksText(unit.books);
    for (const { id, server } of others) {
      const replica = server!.units[i]!;
      if (replica.machine.digest !== unit.machine.digest) {
        faults.push(`unit ${unit.unit}: digest of server ${id} differs`);
      }
      if (replica.machine.lastTimestamp !== unit.machine.lastTimestamp) {
        faults.push(`unit ${unit.unit}: last timestamp of server ${id} differs`);
      }
      if (booksText(replica.books) !== books) {
        faults.push(`unit ${unit.unit}: books of server ${id} differ`);
      }
    }
    if (unit.books.load().digest !== unit.machine.digest) {
      faults.push(`unit ${unit.unit}: books and machine of server 1 differ`);
    }
  });
  return faults;
}

function booksText(books: Books): string {
  const { accounts, opened, decisions, channels, maxTransferId, ...plain } = books.load();
  const words = [...accounts, opened, decisions, channels, maxTransferId, plain.slots ?? []];
  const { index, term, lastTimestamp, digest, transferCount } = plain;
  const numbers = [index, term, lastTimestamp, digest, transferCount];
  return `${numbers.join(',')};${words.map((piece) => piece.join(',')).join(';')}`;
}

interface AccountSums {
  readonly row: Uint32Array;
  readonly isClearing: boolean;
}

function accountsOf(books: Books): AccountSums[] {
  const accounts: AccountSums[] = [];
  for (const piece of books.load().accounts) {
    for (let at = 0; at < piece.length; at += ACCOUNT_ROW_WORDS) {
      const row = piece.slice(at, at + ACCOUNT_ROW_WORDS);
      accounts.push({ row, isClearing: row[3] === 0xffff_ffff });
    }
  }
  return accounts;
}

/** Debits equal credits; and each account, clearing accounts too, equals the sum of its rows. */
function wrongSums({ unit, books }: LedgerUnit): string[] {
  const faults: string[] = [];
  let allDebits = 0;
  let allCredits = 0;
  for (const { row } of accountsOf(books)) {
    const id = row.slice(0, 4);
    const name = `unit ${unit}: account ${id.toReversed().join(':')}`;
    const debitsPosted = row[AccountWord.debitsPosted]!;
    const creditsPosted = row[AccountWord.creditsPosted]!;
    allDebits += debitsPosted;
    allCredits += creditsPosted;
    if (row[AccountWord.debitsPending] !== 0 || row[AccountWord.creditsPending] !== 0) {
      faults.push(`${name} still has something pending`);
    }
    const rows = rowsOf(books, row, id);
    let debits = 0;
    let credits = 0;
    for (const transfer of rows) {
      // Holds and releases move pending amounts only, and nothing is pending any more.
      if ((transfer[TransferRowWord.leg]! & 0xffff) > Leg.far) continue;
      const amount = transfer[TransferWord.amount]!;
      if (isDebitSide(transfer, id)) debits += amount;
      else credits += amount;
    }
    if (debits !== debitsPosted || credits !== creditsPosted) {
      faults.push(`${name} has ${debitsPosted}/${creditsPosted}, its rows ${debits}/${credits}`);
    }
    if (rows.length !== row[AccountRowWord.transferCount]) {
      faults.push(`${name} counts ${row[AccountRowWord.transferCount]} rows of ${rows.length}`);
    }
  }
  if (allDebits !== allCredits) {
    faults.push(`unit ${unit}: debits ${allDebits}, credits ${allCredits}`);
  }
  return faults;
}

function rowsOf(books: Books, account: Uint32Array, accountId: Uint32Array): Uint32Array[] {
  const newest = AccountRowWord.latestTransfer;
  return books.accountTransfers({
    newestRowTimestamp: (BigInt(account[newest + 1]!) << 32n) | BigInt(account[newest]!),
    accountId,
    fromTimestamp: 0n,
    toTimestamp: (1n << 63n) - 1n,
    reversed: false,
    limit: 1_000_000,
  });
}

/** A leg's clearing account stands where the record names the far account. */
function isDebitSide(row: Uint32Array, accountId: Uint32Array): boolean {
  const names = (word: number) => accountId.every((part, i) => row[word + i] === part);
  const leg = row[TransferRowWord.leg]! & 0xffff;
  if (leg === Leg.far) return !names(TransferWord.creditAccountId);
  return names(TransferWord.debitAccountId);
}

/** What unit a's clearing account for b has, b's for a has on the other side. */
export function wrongClearing(units: readonly LedgerUnit[]): string[] {
  const posted = new Map<string, { debits: number; credits: number }>();
  for (const { unit, books } of units) {
    for (const { row, isClearing } of accountsOf(books)) {
      if (!isClearing) continue;
      const debits = row[AccountWord.debitsPosted]!;
      const credits = row[AccountWord.creditsPosted]!;
      posted.set(`${unit}>${row[0]! >>> 16}`, { debits, credits });
    }
  }
  const faults: string[] = [];
  for (const a of units) {
    for (const b of units) {
      const there = posted.get(`${a.unit}>${b.unit}`) ?? { debits: 0, credits: 0 };
      const back = posted.get(`${b.unit}>${a.unit}`) ?? { debits: 0, credits: 0 };
      if (there.credits !== back.debits || there.debits !== back.credits) {
        faults.push(`clearing of units ${a.unit} and ${b.unit} doesn't net to zero`);
      }
    }
  }
  return faults;
}

/** A decision is left only if its home unit could not say yet that it is finished with it. */
export function leftDecisions(units: readonly LedgerUnit[]): string[] {
  const faults: string[] = [];
  for (const { unit, books } of units) {
    const { decisions, channels } = books.load();
    const forgotten = new Map<number, number>();
    for (let at = 0; at < channels.length; at += CHANNEL_ROW_WORDS) {
      forgotten.set(
        channels[at + ChannelRowWord.otherUnit]!,
        channels[at + ChannelRowWord.forgottenThrough]!,
      );
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      const home = decisions[at + DecisionRowWord.homeUnit]!;
      const sequence = decisions[at + DecisionRowWord.sequence]!;
      const [finished] = units.find((other) => other.unit === home)!.machine.finishedThrough(unit);
      if (sequence <= (forgotten.get(home) ?? 0) || sequence > finished) {
        faults.push(`unit ${unit}: decision ${sequence} of unit ${home} is left`);
      }
    }
  }
  return faults;
}

/** What clients were told of each id against what stands in the books. */
function wrongOutcomes(
  world: World,
  units: readonly LedgerUnit[],
  intents: readonly Intent[],
): string[] {
  const owners = world.hosts[0]!.server!.registry.slotOwners!;
  const ids = new Uint32Array(intents.length * 4);
  intents.forEach((intent, i) => {
    ids.set(intent.id, i * 4);
  });
  const found = new Map(units.map(({ unit, books }) => [unit, books.lookUp(ids)]));
  const ownerOf = (account: number) => owners[slotOf(Uint32Array.of(account, 0, 0, 0), 0)]!;
  return intents.flatMap((intent, i) => {
    const home = ownerOf(intent.debit);
    const far = ownerOf(intent.credit);
    const faults = outcomeFaults(intent, found.get(home)![i]!);
    for (const { unit } of units) {
      if (unit === home) continue;
      const here = found.get(unit)![i]!;
      const wrong = unit === far ? legFault(found.get(home)![i]!, here) : here !== null;
      if (wrong) faults.push(`transfer ${intent.number}: unit ${unit} has another outcome`);
    }
    return faults;
  });
}

/** Both legs or none, of the same record. */
function legFault(home: LookUp, far: LookUp): boolean {
  if (home instanceof Uint32Array !== far instanceof Uint32Array) return true;
  if (!(home instanceof Uint32Array) || !(far instanceof Uint32Array)) return false;
  const legs = [home[TransferRowWord.leg]! & 0xffff, far[TransferRowWord.leg]! & 0xffff];
  if (legs[0] !== Leg.home || legs[1] !== Leg.far) return true;
  return home.subarray(0, RECORD_WORDS).some((word, i) => far[i] !== word);
}

function outcomeFaults({ number, seen, debit, credit }: Intent, outcome: LookUp): string[] {
  const faults: string[] = [];
  const told = (status: number) => faults.push(`transfer ${number}: status ${status} was told`);
  const once = seen.filter(
    ({ status }) =>
      status === TransferStatus.created || TRANSIENT_TRANSFER_STATUSES.includes(status),
  );
  if (once.length > 1) faults.push(`transfer ${number} had its first outcome ${once.length} times`);
  if (outcome === null) return [...faults, `transfer ${number} is lost`];
  if (outcome === 'burnt') {
    for (const { status } of seen) {
      const fits =
        status === TransferStatus.id_already_failed || TRANSIENT_TRANSFER_STATUSES.includes(status);
      if (!fits) told(status);
    }
    return faults;
  }
  if (
    outcome[TransferWord.debitAccountId] !== debit ||
    outcome[TransferWord.creditAccountId] !== credit
  ) {
    faults.push(`transfer ${number} stands between other accounts`);
  }
  for (const { amount, status } of seen) {
    const fits =
      amount === outcome[TransferWord.amount]
        ? status === TransferStatus.created || status === TransferStatus.exists
        : status === TransferStatus.exists_with_different_amount;
    if (!fits) told(status);
  }
  return faults;
}

/** Requests that nobody waits for must not stay in memory. */
export function nothingHeld(world: World): boolean {
  return world.hosts.every(({ server }) => {
    const { requests, bytes, unanswered } = server!.load;
    return requests === 0 && bytes === 0 && unanswered === 0;
  });
}
