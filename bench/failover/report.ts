import { quantile } from './gaps.ts';
import { FAULT_KINDS, type FaultKind, type Round } from './plan.ts';

/** What one round did and what its clients saw. */
export interface RoundReport extends Round {
  /** The fault in words, with the servers that it met. */
  readonly text: string;
  /** It happened, and its victim led something. */
  readonly bitten: boolean;
  /** Units whose leader was hit. */
  readonly affected: number;
  /** Of them, those with another leader's term afterwards. */
  readonly elections: number;
  readonly acknowledged: number;
  /** Transfers that a client gave up on within its retry window. */
  readonly failed: number;
  readonly zones: readonly ClientView[];
  /** From the last answer until all replicas stood at the same entry. */
  readonly levelMs: number;
  /** Must be empty. */
  readonly wrong: readonly string[];
}

/** What the client of a zone saw of the units that were hit. */
export interface ClientView {
  readonly zone: string;
  /** Its own server was a victim. */
  readonly lost: boolean;
  /** Longest time from one answer to the next. */
  readonly gapMs: number;
  /** Longest time from due to answered. */
  readonly slowestMs: number;
}

/** The `--json` line holds this and the summary. */
export interface FailoverReport {
  readonly seed: number;
  readonly units: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** A client gave up on these, and asking again with the same id told what had become of them. */
  readonly unknownResolved: number;
  readonly rounds: readonly RoundReport[];
  /** Of the end: what was lost, falsified or unequal. Must be empty. */
  readonly wrong: readonly string[];
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the clients saw of one kind of fault, over the rounds that bit. */
export interface KindSummary {
  readonly kind: FaultKind;
  readonly rounds: number;
  readonly bitten: number;
  /** The worst client of each round whose own zone stood; and the worst of those whose server was a victim. */
  readonly others: Spread | null;
  readonly own: Spread | null;
  readonly slowest: Spread | null;
  readonly failed: number;
}

/** Rounds in a hundred that must have bitten, or nothing was shown. */
const BITTEN_PERCENT_MIN = 60;

export function summarize(rounds: readonly RoundReport[]): KindSummary[] {
  return FAULT_KINDS.flatMap((kind) => {
    const all = rounds.filter((round) => round.kind === kind);
    const bitten = all.filter((round) => round.bitten);
    if (all.length === 0) return [];
    return [
      {
        kind,
        rounds: all.length,
        bitten: bitten.length,
        others: spread(gapsOf(bitten, false)),
        own: spread(gapsOf(bitten, true)),
        slowest: spread(
          bitten.map(({ zones }) =>
            Math.max(0, ...zones.filter(({ lost }) => !lost).map((z) => z.slowestMs)),
          ),
        ),
        failed: bitten.reduce((sum, { failed }) => sum + failed, 0),
      },
    ];
  });
}

/** The worst client's gap of each round that has such a client. */
export function gapsOf(rounds: readonly RoundReport[], lost: boolean): number[] {
  return rounds.flatMap(({ zones }) => {
    const gaps = zones.filter((zone) => zone.lost === lost).map(({ gapMs }) => gapMs);
    return gaps.length === 0 ? [] : [Math.max(...gaps)];
  });
}

export function enoughBitten(rounds: readonly RoundReport[]): boolean {
  const bitten = rounds.filter((round) => round.bitten).length;
  return bitten * 100 >= rounds.length * BITTEN_PERCENT_MIN;
}

/** Everything that was asked holds. */
export function isOk(report: FailoverReport): boolean {
  return (
    report.rounds.length > 0 &&
    report.wrong.length === 0 &&
    report.rounds.every(({ wrong }) => wrong.length === 0) &&
    enoughBitten(report.rounds)
  );
}

function spread(values: readonly number[]): Spread | null {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(values, share));
  return p50 == null || p99 == null || max == null ? null : { p50, p99, max };
}
