import type { ServerId } from '../consensus/types.ts';
import {
  AccountWord,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultWord,
  TransferWord,
} from '../ledger/layout.ts';
import { slotOf } from '../ledger/slot.ts';
import { AccountStatus, TransferStatus } from '../ledger/status.ts';
import type { Gateway } from '../server/core/gateway/api.ts';
import { slotOwners } from '../server/core/topology.ts';
import { World } from './world.ts';

export interface ZoneLoss {
  readonly lost: ServerId;
  /** Of each unit that the lost server led: the longest time between two answers to its client, ms. Ascending. */
  readonly gapsMs: readonly number[];
  /** Flushes of the log that the survivors needed until all units were served again. */
  readonly flushes: number;
}

const LEDGER = 978;
const CODE = 1;
const SECOND_US = 1_000_000;
/** A client sends its next transfer so long after the answer to the last. */
const PACE_US = 10_000;
const STEADY_US = SECOND_US / 4;
const GIVE_UP_US = 10 * SECOND_US;

/**
 * The zone that leads most units falls silent, as when its power or its lines go: nobody is told. Each unit has a
 * client, at a zone that stays, which books one transfer after the other.
 */
export function loseZone(seed: number, units: number): ZoneLoss {
  const world = new World({ seed, units });
  const { scheduler, network, hosts } = world;
  const allLed = () =>
    Array.from({ length: units }, (_, i) => i).every((i) =>
      hosts.some(({ server }) => server!.units[i]!.group.serving),
    );
  world.start();
  runUntil(world, 'all units led', allLed);
  const leads = hosts.map(({ server }) => server!.units.filter((u) => u.group.serving));
  const lost = leads[0]!.length >= leads[1]!.length ? 1 : 2;
  const affected = new Set(leads[lost - 1]!.map(({ unit }) => unit));
  const stays = lost === 1 ? 2 : 1;

  const clients = Array.from({ length: units }, (_, i) => new Client(world, stays, i + 1, units));
  createAccounts(world, stays, clients);
  for (const client of clients) client.start();
  scheduler.run(scheduler.nowUs + STEADY_US);

  const flushesOf = () =>
    hosts.reduce((sum, { id, server }) => sum + (id === lost ? 0 : server!.logFlushes), 0);
  const lostUs = scheduler.nowUs;
  const flushesBefore = flushesOf();
  for (const { id } of hosts) {
    network.cut(id, lost);
    network.cut(lost, id);
  }
  const waiting = clients.filter(({ unit }) => affected.has(unit));
  runUntil(world, 'all units served again', () =>
    waiting.every(({ lastAnswerUs }) => lastAnswerUs > lostUs + STEADY_US),
  );
  const gapsMs = waiting.map(({ longestUs }) => longestUs / 1_000).sort((a, b) => a - b);
  return { lost, gapsMs, flushes: flushesOf() - flushesBefore };
}

function runUntil({ scheduler }: World, what: string, until: () => boolean): void {
  const endUs = scheduler.nowUs + GIVE_UP_US;
  // Looked at now and then only: it costs more than an event.
  while (!until()) {
    if (scheduler.nowUs >= endUs)
      throw new Error(`not within ${GIVE_UP_US / SECOND_US} s: ${what}`);
    scheduler.run(scheduler.nowUs + PACE_US);
  }
}

function createAccounts(world: World, server: ServerId, clients: readonly Client[]): void {
  const ids = clients.flatMap(({ accounts }) => accounts);
  const records = new Uint32Array(ids.length * RECORD_WORDS);
  ids.forEach((id, i) => {
    records[i * RECORD_WORDS + AccountWord.id] = id;
    records[i * RECORD_WORDS + AccountWord.ledger] = LEDGER;
    records[i * RECORD_WORDS + AccountWord.codeAndFlags] = CODE;
  });
  let created = false;
  gatewayOf(world, server).createAccounts(records, ids.length, (error, results) => {
    if (error !== null) throw error;
    for (let at = ResultWord.status; at < results.length; at += RESULT_WORDS) {
      if (results[at] !== AccountStatus.created) throw new Error(`account: status ${results[at]}`);
    }
    created = true;
  });
  runUntil(world, 'accounts created', () => created);
}

function gatewayOf(world: World, server: ServerId): Gateway {
  return world.host(server).server!.gateway;
}

/** Books between two accounts of one unit, one transfer at a time. */
class Client {
  readonly unit: number;
  readonly accounts: readonly [number, number];
  lastAnswerUs = 0;
  longestUs = 0;
  readonly #world: World;
  readonly #server: ServerId;
  readonly #units: number;
  #sent = 0;

  constructor(world: World, server: ServerId, unit: number, units: number) {
    this.unit = unit;
    this.accounts = accountsOf(unit, units);
    this.#world = world;
    this.#server = server;
    this.#units = units;
  }

  start(): void {
    this.lastAnswerUs = this.#world.scheduler.nowUs;
    this.#book();
  }

  #book(): void {
    const record = new Uint32Array(RECORD_WORDS);
    this.#sent += 1;
    record[TransferWord.id] = this.#sent * this.#units + this.unit;
    record[TransferWord.debitAccountId] = this.accounts[0];
    record[TransferWord.creditAccountId] = this.accounts[1];
    record[TransferWord.amount] = 1;
    record[TransferWord.ledger] = LEDGER;
    record[TransferWord.codeAndFlags] = CODE;
    gatewayOf(this.#world, this.#server).createTransfers(record, 1, false, (error, results) => {
      if (error !== null) throw error;
      const status = results[ResultWord.status];
      // exists: the router asked twice, for the first answer was lost with its leader.
      if (status !== TransferStatus.created && status !== TransferStatus.exists)
        throw new Error(`transfer: status ${status}`);
      const { scheduler } = this.#world;
      this.longestUs = Math.max(this.longestUs, scheduler.nowUs - this.lastAnswerUs);
      this.lastAnswerUs = scheduler.nowUs;
      scheduler.after(PACE_US, `client of unit ${this.unit}`, () => this.#book());
    });
  }
}

/** The two lowest ids whose slots the unit owns. */
function accountsOf(unit: number, units: number): [number, number] {
  const owners = slotOwners(units);
  const found: number[] = [];
  const id = new Uint32Array(4);
  for (let n = 1; found.length < 2; n += 1) {
    id[0] = n;
    if (owners[slotOf(id, 0)] === unit) found.push(n);
  }
  return [found[0]!, found[1]!];
}
