import { makeAccount, spoilAccount } from './make-accounts.ts';
import { makePlain, makeTransfer } from './make-transfers.ts';
import type { Command } from './oracle.ts';
import { AccountBit, Flag, has } from './oracle-flags.ts';
import type { Pool } from './pool.ts';
import type { Random } from './random.ts';
import type { AccountFields, TransferFields } from './records.ts';
import { again, older, spoil } from './spoil-transfers.ts';

const LINKED = 1 << 0;

/** A request to create transfers. `sent` are those asked for lately; the request's are added. */
export function transfersCommand(pool: Pool, sent: TransferFields[], size: number): Command {
  const { random } = pool;
  const isSimple = random.oneIn(size > 100 ? 2 : 6);
  const events = isSimple ? simpleEvents(pool, size) : mixedEvents(pool, sent, size);
  sent.push(...events.slice(-60));
  return {
    kind: 'transfers',
    events: isSimple ? events : chained(random, events),
    balances: random.oneIn(2),
    imported: importedOf(random, has(events[0]!, Flag.imported)),
  };
}

function mixedEvents(pool: Pool, sent: readonly TransferFields[], size: number): TransferFields[] {
  const { random } = pool;
  const { lastEventTime, lastAccountTime } = pool.ledger;
  const imported = random.oneIn(6);
  let time = random.oneIn(4) || lastEventTime > lastAccountTime ? lastEventTime : lastAccountTime;
  return Array.from({ length: size }, (_, i) => {
    let event = sentBefore(pool, sent) ?? makeTransfer(pool);
    if (imported && !random.oneIn(25)) {
      time += BigInt(1 + random.below(3));
      event = { ...event, flags: event.flags | Flag.imported, timestamp: time, timeout: 0 };
    }
    if (imported && i === 0 && random.oneIn(2)) return { ...event, ...older(pool) };
    while (random.oneIn(3)) event = spoil(pool, event);
    return event;
  });
}

/** One chain in which little can fail but its last member. */
function simpleEvents(pool: Pool, size: number): TransferFields[] {
  const { random } = pool;
  const isChain = !random.oneIn(4);
  return Array.from({ length: size }, (_, i) => {
    const event = makePlain(pool);
    const isLast = i === size - 1;
    const link = isChain && !isLast ? LINKED : 0;
    const pending = random.oneIn(2) ? Flag.pending : 0;
    const timeout = pending === 0 ? 0 : random.below(9);
    const changed = { ...event, flags: pending | link, timeout };
    return isLast && random.oneIn(2) ? spoil(pool, changed) : changed;
  });
}

/** Now and then: what was asked lately, or one that is booked, changed or not. */
function sentBefore(pool: Pool, sent: readonly TransferFields[]): TransferFields | null {
  const { random } = pool;
  const { open } = pool.ledger;
  if (open.length > 0 && random.oneIn(25)) return again(pool, random.pick(open).record);
  if (sent.length === 0 || !random.oneIn(6)) return null;
  const stored = pool.anyStored();
  if (stored !== undefined && random.oneIn(2)) return again(pool, stored);
  return sent[sent.length - 1 - random.below(Math.min(60, sent.length))]!;
}

/** A request to create accounts; `mayHold` says of which ids this unit may. */
export function accountsCommand(
  pool: Pool,
  size: number,
  mayHold: (id: bigint) => boolean,
): Command {
  const { random, ledger } = pool;
  const imported = random.oneIn(3);
  let time = ledger.lastAccountTime;
  const events: AccountFields[] = Array.from({ length: size }, () => {
    let event = makeAccount(pool);
    if (!mayHold(event.id)) event = { ...event, id: pool.accounts[3]! };
    if (imported) {
      time = random.oneIn(2) ? ledger.lastEventTime + 5n : time + BigInt(1 + random.below(5));
      event = { ...event, flags: event.flags | AccountBit.imported, timestamp: time };
    }
    while (random.oneIn(3)) event = spoilAccount(pool, event);
    return event;
  });
  return {
    kind: 'accounts',
    events: chained(random, events),
    balances: random.oneIn(2),
    imported: importedOf(random, has(events[0]!, AccountBit.imported)),
  };
}

/** As the first event says, seldom not: a request's first event may be in another unit. */
function importedOf(random: Random, first: boolean): boolean {
  return random.oneIn(40) ? !first : first;
}

/** Runs of linked events, at times open at the end. */
function chained<E extends { readonly flags: number }>(random: Random, events: readonly E[]): E[] {
  if (!random.oneIn(3)) return [...events];
  const often = random.oneIn(2);
  return events.map((event, i) => {
    const isLinked = often ? !random.oneIn(4) : random.oneIn(3);
    const mayBe = i < events.length - 1 || random.oneIn(8);
    return isLinked && mayBe ? { ...event, flags: event.flags | LINKED } : event;
  });
}
