import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type Topology } from '../../client/index.ts';
import { LocalCluster } from '../../server/node/index.ts';
import { FailoverAccounts } from './accounts.ts';
import { checkFiles, named, ZoneReaders } from './checks.ts';
import { Draw } from './draw.ts';
import { type Leading, type Struck, strike } from './faults.ts';
import { longestGapMs, slowestMs } from './gaps.ts';
import { Told } from './ledger.ts';
import { Load, type ZoneView } from './load.ts';
import { type FaultKind, planRound, type Round } from './plan.ts';
import type { FailoverReport, RoundReport } from './report.ts';

export interface FailoverOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The first round's number: a round alone is the same as among all others. */
  readonly from: number;
  readonly kinds: readonly FaultKind[];
  readonly units: number;
  /** Transfers a second of each zone's client. */
  readonly perSecond: number;
  readonly dataDir: string;
  /** What runs a server, see LocalCluster. */
  readonly command: readonly string[];
  readonly onRound: (round: RoundReport) => void;
  readonly progress: (text: string) => void;
  /** Aborted when the user has seen enough: its reason is what is thrown, once all servers are stopped. */
  readonly signal: AbortSignal;
}

/** After the heal the load goes on for so long: coming back must not hurt either. */
const AFTER_MS = 500;
const FLOWING_MS_MAX = 30_000;
const POLL_MS = 10;

/** Rounds of faults on real processes under load, each checked before the next. */
export async function benchFailover(options: FailoverOptions): Promise<FailoverReport> {
  const { dataDir, units, command, signal } = options;
  options.progress('starting three zones');
  const cluster = await LocalCluster.create({
    dataDir,
    units,
    zones: 3,
    ports: 'free',
    drill: true,
    command,
    log: () => {},
  });
  const closing: (() => void)[] = [];
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    const work = async (): Promise<FailoverReport> => {
      await cluster.start();
      const rounds = await Rounds.open(options, cluster, closing);
      return rounds.run();
    };
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    for (const close of closing) close();
    await cluster.stop();
  }
}

class Rounds {
  readonly #options: FailoverOptions;
  readonly #cluster: LocalCluster;
  readonly #operator: EvenkeelClient;
  readonly #accounts: FailoverAccounts;
  readonly #readers: ZoneReaders;
  readonly #load: Load;
  readonly #told = new Told();
  #wrong: string[] = [];

  static async open(
    options: FailoverOptions,
    cluster: LocalCluster,
    closing: (() => void)[],
  ): Promise<Rounds> {
    const addresses = cluster.servers.map(({ address }) => address);
    const client = new EvenkeelClient({ addresses });
    closing.push(() => client.close());
    const rounds = new Rounds(options, cluster, client, await FailoverAccounts.create(client));
    closing.push(() => rounds.#close());
    return rounds;
  }

  private constructor(
    options: FailoverOptions,
    cluster: LocalCluster,
    operator: EvenkeelClient,
    accounts: FailoverAccounts,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#operator = operator;
    this.#accounts = accounts;
    this.#readers = new ZoneReaders(cluster);
    this.#load = new Load({
      zones: cluster.servers.map(({ zone, address }) => ({ zone, address })),
      accounts,
      units: options.units,
      perSecond: options.perSecond,
      told: this.#told,
      onWrong: (what) => this.#wrong.push(what),
    });
  }

  async run(): Promise<FailoverReport> {
    const { rounds: count, from, seed, kinds, units, perSecond, progress } = this.#options;
    const startMs = performance.now();
    const rounds: RoundReport[] = [];
    for (let number = from; number < from + count; number += 1) {
      const round = await this.#round(planRound(seed, number, kinds));
      rounds.push(round);
      this.#options.onRound(round);
      // What is lost stays lost: the rounds after it would only blur which one did it.
      if (round.wrong.length > 0) break;
    }
    progress('comparing everything that was acknowledged, and the books of all zones');
    const ids = [...this.#told.acknowledged.keys(), ...this.#told.refused];
    const wrong = await this.#readers.compare(this.#told, ids);
    wrong.push(...(await this.#readers.compareSums(this.#told, this.#accounts.ids)));
    this.#close();
    await this.#cluster.stop();
    wrong.push(...checkFiles(this.#cluster, units, this.#told));
    return {
      seed,
      units,
      perSecond,
      seconds: Math.round((performance.now() - startMs) / 1_000),
      acknowledged: this.#told.acknowledged.size,
      refused: this.#told.refused.size,
      unknownResolved: this.#told.unknownResolved,
      rounds,
      wrong: named(wrong),
    };
  }

  async #round(round: Round): Promise<RoundReport> {
    const { seed } = this.#options;
    const knownBefore = this.#told.acknowledged.size;
    const refusedBefore = this.#told.refused.size;
    this.#load.start(new Draw(seed, `load ${round.number}`));
    await this.#flowing();
    await sleep(round.leadMs);
    const before = await this.#readers.views();
    let struckMs = performance.now();
    const struck = await strike(this.#cluster, this.#operator, round, leadingOf(before), () => {
      struckMs = performance.now();
    });
    await sleep(AFTER_MS);
    const endMs = performance.now();
    const zones = await this.#load.stop();
    const levelMs = await this.#readers.untilLevel();
    const after = await this.#readers.views();

    const acknowledged = [...this.#told.acknowledged.keys()].slice(knownBefore);
    const refused = [...this.#told.refused].slice(refusedBefore);
    this.#wrong.push(...(await this.#readers.compare(this.#told, [...acknowledged, ...refused])));
    const again = new Draw(seed, `again ${round.number}`);
    this.#wrong.push(...(await this.#readers.askAgain(this.#told, acknowledged, again)));
    const wrong = named(this.#wrong.splice(0));
    const elections = electionsBetween(before, after, struck.affected);
    return {
      ...gapsOf(zones, struck, { fromMs: struckMs, toMs: endMs }),
      ...round,
      elections,
      acknowledged: acknowledged.length,
      levelMs: Math.round(levelMs),
      wrong,
    };
  }

  async #flowing(): Promise<void> {
    const untilMs = performance.now() + FLOWING_MS_MAX;
    while (!this.#load.flowing) {
      if (performance.now() > untilMs) throw new Error('a healed cluster answers nothing');
      await sleep(POLL_MS);
    }
  }

  #close(): void {
    this.#load.close();
    this.#readers.close();
  }
}

/** By how many units each leads, most first; the ids decide between equals. */
function leadingOf(views: readonly Topology[]): Leading[] {
  const servers = views.map(({ serverId, zone, units }) => ({
    id: serverId,
    zone,
    leads: units.filter(({ role }) => role === 'leader').map(({ id }) => id),
  }));
  return servers.sort((a, b) => b.leads.length - a.leads.length || a.id - b.id);
}

/** Of those units, how many have another term. */
function electionsBetween(
  before: readonly Topology[],
  after: readonly Topology[],
  units: ReadonlySet<number>,
): number {
  const termOf = (views: readonly Topology[], unit: number) =>
    Math.max(...views.map((view) => view.units.find(({ id }) => id === unit)?.term ?? 0));
  return [...units].filter((unit) => termOf(after, unit) > termOf(before, unit)).length;
}

function gapsOf(
  zones: readonly ZoneView[],
  struck: Struck,
  window: { readonly fromMs: number; readonly toMs: number },
): Pick<RoundReport, 'text' | 'bitten' | 'affected' | 'failed' | 'zones'> {
  const { text, affected, happened } = struck;
  return {
    text,
    bitten: happened && affected.size > 0,
    affected: affected.size,
    failed: zones.reduce((sum, { failed }) => sum + failed, 0),
    zones: zones.map(({ zone, asked }) => ({
      zone,
      lost: struck.lostZones.includes(zone),
      gapMs: Math.round(longestGapMs(asked, affected, window)),
      slowestMs: Math.round(slowestMs(asked, affected)),
    })),
  };
}
