import { Draw } from './draw.ts';

/** What is done to the cluster in a round. The text is for people. */
export const FAULTS = {
  kill: 'kill -9 of a server',
  'kill twice': 'kill -9, and again while it starts',
  'kill two': 'kill -9 of two servers at once',
  'kill next': 'kill -9, then of another while the first catches up',
  drain: 'planned drain: evenkeel zone drain, stop, start, zone restore',
  stop: 'orderly stop (SIGTERM) of a server that was not drained',
  pause: 'a zone falls silent (SIGSTOP, later SIGCONT)',
  isolate: 'all links of a zone cut',
  'cut out': 'a zone hears and is not heard',
  'cut in': 'a zone is heard and hears nothing',
  'cut pair': 'the link between two zones cut',
  'cut pair one way': 'one direction of the link between two zones cut',
} as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** All that is drawn for a round. Who leads is known only when it comes, so victims are ranks, not servers. */
export interface Round {
  /** From 1. */
  readonly number: number;
  readonly kind: FaultKind;
  /** The victim among the servers that lead any unit, by how many: 0 leads most. Null: one that leads least. */
  readonly rank: number | null;
  /** The other end, or the other victim, among the two that are left. */
  readonly otherRank: number;
  /** Load before the fault. */
  readonly leadMs: number;
  /** How long the fault lasts; a killed server is started again after it. */
  readonly holdMs: number;
  /** Between the two blows of a kind that has two. */
  readonly betweenMs: number;
}

/** A victim that leads nothing proves little, and yet must be survived. */
const FOLLOWER_SHARE = 0.08;

/** Every kind once before any comes again. */
export function planRound(seed: number, number: number, kinds: readonly FaultKind[]): Round {
  const cycle = Math.floor((number - 1) / kinds.length);
  const deck = new Draw(seed, `cycle ${cycle}`).shuffled(kinds);
  const draw = new Draw(seed, `round ${number}`);
  return {
    number,
    kind: deck[(number - 1) % kinds.length]!,
    rank: draw.chance(FOLLOWER_SHARE) ? null : draw.integer(0, 2),
    otherRank: draw.integer(0, 1),
    leadMs: draw.integer(300, 600),
    holdMs: draw.integer(700, 1_800),
    betweenMs: draw.integer(0, 800),
  };
}
