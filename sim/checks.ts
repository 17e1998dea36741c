import { ACCOUNT_ROW_WORDS, AccountWord, Leg, TransferRowWord } from '../ledger/layout.ts';
import type { Booking } from './workload.ts';
import type { World } from './world.ts';

/** Every replica has applied and folded the same entries, and its log holds no other. */
export function settled(world: World): boolean {
  const [first, ...others] = world.hosts;
  return first!.server!.units.every((unit, i) => {
    const index = unit.machine.index;
    const all = [first!, ...others].map((host) => host.server?.units[i]);
    return all.every(
      (replica) =>
        replica !== undefined &&
        // Servers that all start anew stand at the same entry before any of them knows what is committed.
        replica.group.raft.status().lastIndex === index &&
        replica.machine.index === index &&
        replica.books.index() === index &&
        replica.machine.openCrossings().length === 0,
    );
  });
}

/** What is wrong once all is settled: empty if nothing is. */
export function findFaults(world: World, bookings: readonly Booking[]): string[] {
  return [
    ...unequalBooks(world),
    ...wrongBalances(world, bookings),
    ...lostOrDoubled(world, bookings),
  ];
}

function unequalBooks(world: World): string[] {
  const faults: string[] = [];
  const [first, ...others] = world.hosts;
  first!.server!.units.forEach((unit, i) => {
    for (const other of others) {
      const replica = other.server!.units[i]!;
      if (replica.machine.digest !== unit.machine.digest) {
        faults.push(`unit ${unit.unit}: digest of server ${other.id} differs`);
      }
      if (
        accountsText(replica.books.load().accounts) !== accountsText(unit.books.load().accounts)
      ) {
        faults.push(`unit ${unit.unit}: books of server ${other.id} differ`);
      }
    }
  });
  return faults;
}

function accountsText(pieces: Iterable<Uint32Array>): string {
  return [...pieces].map((piece) => piece.join(',')).join(',');
}

/** Every account against plain addition of what clients were told. Debits equal credits by construction of the sums. */
function wrongBalances(world: World, bookings: readonly Booking[]): string[] {
  const expected = new Map<number, { debits: number; credits: number }>();
  const of = (account: number) => {
    let sums = expected.get(account);
    if (sums === undefined) {
      sums = { debits: 0, credits: 0 };
      expected.set(account, sums);
    }
    return sums;
  };
  for (const { debit, credit, amount } of bookings) {
    of(debit).debits += amount;
    of(credit).credits += amount;
  }
  const faults: string[] = [];
  for (const unit of world.hosts[0]!.server!.units) {
    let debits = 0;
    let credits = 0;
    for (const piece of unit.books.load().accounts) {
      for (let at = 0; at < piece.length; at += ACCOUNT_ROW_WORDS) {
        const posted = {
          debits: piece[at + AccountWord.debitsPosted]!,
          credits: piece[at + AccountWord.creditsPosted]!,
        };
        debits += posted.debits;
        credits += posted.credits;
        const isClearing = piece[at + 3] === 0xffff_ffff;
        const wanted = expected.get(piece[at]!) ?? { debits: 0, credits: 0 };
        if (!isClearing && (posted.debits !== wanted.debits || posted.credits !== wanted.credits)) {
          faults.push(
            `account ${piece[at]}: ${posted.debits}/${posted.credits}, should be ${wanted.debits}/${wanted.credits}`,
          );
        }
      }
    }
    if (debits !== credits) faults.push(`unit ${unit.unit}: debits ${debits}, credits ${credits}`);
  }
  return faults;
}

/** Each answered id stands once, and only once, over all units. */
function lostOrDoubled(world: World, bookings: readonly Booking[]): string[] {
  const ids = new Uint32Array(bookings.length * 4);
  bookings.forEach((booking, i) => {
    ids[i * 4] = booking.id;
  });
  const seen = new Array<number>(bookings.length).fill(0);
  for (const unit of world.hosts[0]!.server!.units) {
    unit.books.lookUp(ids).forEach((row, i) => {
      if (row === null || row === 'burnt') return;
      if ((row[TransferRowWord.leg]! & 0xffff) !== Leg.far) seen[i]! += 1;
    });
  }
  const faults: string[] = [];
  bookings.forEach((booking, i) => {
    if (seen[i] !== 1) faults.push(`transfer ${booking.id} stands ${seen[i]} times`);
  });
  return faults;
}
