import { histogram } from './gaps.ts';
import { FAULTS } from './plan.ts';
import {
  enoughBitten,
  type FailoverReport,
  gapsOf,
  isOk,
  type KindSummary,
  type RoundReport,
  type Spread,
  summarize,
} from './report.ts';

const BAR = 40;

/** One line as a round ends. */
export function roundLine(round: RoundReport): string {
  const gaps = round.zones.map(({ zone, gapMs, lost }) => `${zone}${lost ? '*' : ''} ${gapMs}`);
  const bite = round.bitten
    ? `${round.elections} of ${round.affected} units elected`
    : 'did not bite';
  const wrong = round.wrong.map((what) => `\n      WRONG ${what}`).join('');
  return `${String(round.number).padStart(3)} ${round.text}: ${bite}; gaps ${gaps.join(', ')} ms${wrong}`;
}

export function reportText(report: FailoverReport, again: string): string {
  const { rounds, acknowledged, refused, unknownResolved, seconds } = report;
  const bitten = rounds.filter((round) => round.bitten).length;
  const wrong = [...rounds.flatMap((round) => round.wrong), ...report.wrong];
  return [
    ...summarize(rounds).flatMap((summary) => kindLines(summary, rounds)),
    '',
    `${rounds.length} rounds in ${seconds} s; ${bitten} bit, in ${rounds.length - bitten} the victim led nothing or the fault did not happen${enoughBitten(rounds) ? '' : ': TOO FEW'}`,
    `${count(acknowledged)} acknowledged, ${count(refused)} refused, ${count(unknownResolved)} unknown to their client and settled by asking again`,
    ...wrong.map((what) => `WRONG ${what}`),
    isOk(report)
      ? 'none lost, none doubled, no refused one booked, debits = credits, books of all zones equal and true to their rows'
      : 'this does not hold',
    `again: ${again}`,
  ].join('\n');
}

function kindLines(summary: KindSummary, rounds: readonly RoundReport[]): string[] {
  const { kind, bitten, others, own, failed } = summary;
  const mine = rounds.filter((round) => round.kind === kind && round.bitten);
  const classes = histogram(gapsOf(mine, false));
  const most = Math.max(1, ...classes.map((c) => c.count));
  const shown = classes.filter((c) => c.count > 0);
  return [
    '',
    `${FAULTS[kind]}: ${bitten} of ${summary.rounds} rounds bit, ${failed} transfers given up by a client`,
    `  gap of the worst client whose zone stood:  ${spreadText(others)}`,
    ...(own === null ? [] : [`  gap of a client of the zone that was hit:   ${spreadText(own)}`]),
    ...shown.map(
      ({ label, count: n }) =>
        `  ${label.padStart(8)} ms ${'█'.repeat(Math.max(1, Math.round((n / most) * BAR)))} ${n}`,
    ),
  ];
}

function spreadText(spread: Spread | null): string {
  return spread === null ? '-' : `p50 ${spread.p50}, p99 ${spread.p99}, max ${spread.max} ms`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
