import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type Topology, type Transfer } from '../../client/index.ts';
import { checkBooks, type LocalCluster, verifyBooks } from '../../server/node/index.ts';
import type { Draw } from './draw.ts';
import type { Told } from './ledger.ts';

const LEVEL_MS_MAX = 60_000;
const POLL_MS = 25;
const IDS_AT_ONCE = 4_000;
/** Acknowledged transfers that each round asks for once more. */
const ASKED_AGAIN = 20;
/** Of each kind of fault found, so many are named. */
const NAMED_MAX = 5;

/** One client a zone that asks this zone and no other. */
export class ZoneReaders {
  readonly #clients: readonly EvenkeelClient[];

  constructor(cluster: LocalCluster) {
    this.#clients = cluster.servers.map(
      ({ address }) => new EvenkeelClient({ addresses: [address], retryWindowMs: LEVEL_MS_MAX }),
    );
  }

  /** The cluster as each server sees it. */
  views(): Promise<Topology[]> {
    return Promise.all(this.#clients.map((client) => client.topology()));
  }

  /** Comes back when every zone stands at the same entry of every unit, in memory and in its books; how long it took. */
  async untilLevel(): Promise<number> {
    const startMs = performance.now();
    let views: Topology[] = [];
    while (performance.now() - startMs < LEVEL_MS_MAX) {
      views = await this.views();
      if (areLevel(views)) return performance.now() - startMs;
      await sleep(POLL_MS);
    }
    const shown = JSON.stringify(views.map(({ zone, units }) => ({ zone, units })));
    throw new Error(`the zones are not level after ${LEVEL_MS_MAX / 1_000} s: ${shown}`);
  }

  /** What is wrong with these transfers through any zone: all ids must show as they were first told, refused ones not. */
  async compare(told: Told, ids: readonly bigint[]): Promise<string[]> {
    const found = await Promise.all(this.#clients.map((client) => compareOne(client, told, ids)));
    return found.flat();
  }

  /** The same answers must come when some are asked for once more. */
  async askAgain(told: Told, ids: readonly bigint[], draw: Draw): Promise<string[]> {
    const known = ids.filter((id) => told.acknowledged.has(id));
    if (known.length === 0) return [];
    const wrong: string[] = [];
    const ask = async (id: bigint): Promise<void> => {
      const { transfer, timestamp } = told.acknowledged.get(id)!;
      const { status, timestamp: again } = await draw.pick(this.#clients).transfer(transfer);
      if (status === 'exists' && again === timestamp) return;
      wrong.push(`${id}, asked again, was ${status} at ${again}, first booked at ${timestamp}`);
    };
    await Promise.all(Array.from({ length: ASKED_AGAIN }, () => ask(draw.pick(known))));
    return wrong;
  }

  /** Every account's sums are those of the acknowledged transfers, through every zone. */
  async compareSums(told: Told, accounts: readonly bigint[]): Promise<string[]> {
    const wrong: string[] = [];
    for (const client of this.#clients) {
      for (const { id, debitsPosted, creditsPosted } of await client.lookupAccounts(accounts)) {
        const { debits, credits } = told.sums.get(id) ?? { debits: 0n, credits: 0n };
        if (debits === debitsPosted && credits === creditsPosted) continue;
        wrong.push(
          `account ${id}: debits ${debitsPosted}, credits ${creditsPosted}; acknowledged ${debits}, ${credits}`,
        );
      }
    }
    return wrong;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

function areLevel(views: readonly Topology[]): boolean {
  const [first] = views;
  return views.every((view) =>
    view.units.every((unit, i) => {
      const other = first!.units[i]!;
      return (
        unit.appliedIndex === other.appliedIndex &&
        unit.commitIndex === unit.appliedIndex &&
        unit.executionDigest === other.executionDigest &&
        unit.booksIndex === unit.appliedIndex
      );
    }),
  );
}

async function compareOne(
  client: EvenkeelClient,
  told: Told,
  ids: readonly bigint[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const piece = ids.slice(at, at + IDS_AT_ONCE);
    const found = new Map((await client.lookupTransfers(piece)).map((row) => [row.id, row]));
    for (const id of piece) {
      const problem = problemOf(told, id, found.get(id));
      if (problem !== null) wrong.push(problem);
    }
  }
  return wrong;
}

function problemOf(told: Told, id: bigint, row: Transfer | undefined): string | null {
  const wanted = told.acknowledged.get(id);
  if (wanted === undefined) {
    if (told.refused.has(id) && row !== undefined) return `${id} was refused and is booked`;
    return null;
  }
  if (row === undefined) return `${id} was acknowledged and is lost`;
  const { transfer, timestamp } = wanted;
  const same =
    row.timestamp === timestamp &&
    row.amount === transfer.amount &&
    row.debitAccountId === transfer.debitAccountId &&
    row.creditAccountId === transfer.creditAccountId;
  return same ? null : `${id} is not what was acknowledged`;
}

/** The files of the stopped cluster, read as anyone can: equal, balanced, whole, and true to their own rows. */
export function checkFiles(cluster: LocalCluster, units: number, told: Told): string[] {
  const folders = cluster.servers.map(({ folder }) => join(folder, 'data', 'books'));
  const books = checkBooks(folders, units, [...told.acknowledged.keys()]);
  const wrong: string[] = [];
  if (!books.zonesEqual) wrong.push('the books of the zones differ');
  if (!books.debitsEqualCredits) wrong.push('debits and credits do not sum to zero');
  if (books.acknowledgedLost > 0)
    wrong.push(`${books.acknowledgedLost} acknowledged lost in the files`);
  if (books.duplicates > 0) wrong.push(`${books.duplicates} booked twice`);
  for (const folder of folders) {
    for (let unit = 1; unit <= units; unit += 1) {
      const { file, difference } = verifyBooks(join(folder, `unit-${unit}.sqlite`), () => {});
      if (difference !== null) wrong.push(`${file}: ${JSON.stringify(difference, bigintText)}`);
    }
  }
  return wrong;
}

/** The first few, and how many more. */
export function named(wrong: readonly string[]): string[] {
  if (wrong.length <= NAMED_MAX) return [...wrong];
  return [...wrong.slice(0, NAMED_MAX), `and ${wrong.length - NAMED_MAX} more`];
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
