/** What a walk has met: a walk that never came to the rare paths proves little. */

/** Of each at least one comes in `PATHS_STEPS` steps, or the walk has lost its way. */
export interface PathCounts {
  elections: number;
  crashes: number;
  commits: number;
  reads: number;
  /** Heirs that took over. */
  transfers: number;
  resignations: number;
  /** Entries replaced by those of another leader. */
  truncations: number;
  /** Of those, a membership was taken back. */
  membershipsTakenBack: number;
  compactions: number;
  /** Installed in the place of a log. */
  snapshots: number;
  simpleChanges: number;
  /** Entered, left and committed. */
  jointChanges: number;
  learnersPromoted: number;
  /** Disks that lost entries which had been acknowledged, and replicas that were whole again after it. */
  losses: number;
  recoveries: number;
}

export interface ExplorerReport extends PathCounts {
  steps: number;
  highestTerm: number;
}

/** Steps after which each path must have been met. */
export const PATHS_STEPS = 200_000;

export function noCounts(): ExplorerReport {
  return {
    steps: 0,
    highestTerm: 0,
    elections: 0,
    crashes: 0,
    commits: 0,
    reads: 0,
    transfers: 0,
    resignations: 0,
    truncations: 0,
    membershipsTakenBack: 0,
    compactions: 0,
    snapshots: 0,
    simpleChanges: 0,
    jointChanges: 0,
    learnersPromoted: 0,
    losses: 0,
    recoveries: 0,
  };
}

export function addCounts(sum: ExplorerReport, report: ExplorerReport): void {
  for (const name of NAMES) {
    if (name === 'highestTerm') sum[name] = Math.max(sum[name], report[name]);
    else sum[name] += report[name];
  }
}

/** Paths that a long walk should have met and did not. */
export function pathsMissed(report: ExplorerReport): string[] {
  return report.steps < PATHS_STEPS ? [] : NAMES.filter((name) => report[name] === 0);
}

const NAMES = Object.keys(noCounts()) as (keyof ExplorerReport)[];
