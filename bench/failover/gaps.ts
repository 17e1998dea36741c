/** One transfer as its client saw it. Times are of one clock. */
export interface Asked {
  /** Of its two accounts; once if they share a unit. */
  readonly units: readonly number[];
  readonly dueMs: number;
  /** Null: the client has given up. */
  answeredMs: number | null;
}

/**
 * The longest time within a window in which a client had no answer from one of `units`, the worst of them: from one
 * answer to the next, and up to the window's end. A refusal by the ledger's rules is an answer.
 */
export function longestGapMs(
  asked: readonly Asked[],
  units: ReadonlySet<number>,
  window: { readonly fromMs: number; readonly toMs: number },
): number {
  let longest = 0;
  for (const unit of units) {
    const times = asked
      .filter(({ units: touched }) => touched.includes(unit))
      .flatMap(({ answeredMs }) => (answeredMs === null ? [] : [answeredMs]))
      .filter((atMs) => atMs > window.fromMs && atMs < window.toMs)
      .sort((a, b) => a - b);
    let lastMs = window.fromMs;
    for (const atMs of [...times, window.toMs]) {
      longest = Math.max(longest, atMs - lastMs);
      lastMs = atMs;
    }
  }
  return longest;
}

/** The longest that an answer took from the time its transfer was due. */
export function slowestMs(asked: readonly Asked[], units: ReadonlySet<number>): number {
  let slowest = 0;
  for (const { units: touched, dueMs, answeredMs } of asked) {
    if (answeredMs === null || !touched.some((unit) => units.has(unit))) continue;
    slowest = Math.max(slowest, answeredMs - dueMs);
  }
  return slowest;
}

/** Of values in any order; null if there are none. */
export function quantile(values: readonly number[], share: number): number | null {
  const ascending = [...values].sort((a, b) => a - b);
  const at = Math.min(ascending.length - 1, Math.ceil(ascending.length * share) - 1);
  return ascending[Math.max(0, at)] ?? null;
}

/** Upper ends of the histogram's classes; the last is open. */
const CLASSES_MS = [50, 100, 150, 200, 300, 400, 500, 650, 800, 1_200, 2_000, 3_000] as const;

/** How often the gaps fell into each class. */
export function histogram(gaps: readonly number[]): { label: string; count: number }[] {
  const edges: readonly number[] = [0, ...CLASSES_MS];
  return edges.map((low, i) => {
    const high = edges[i + 1] ?? Number.POSITIVE_INFINITY;
    const count = gaps.filter((gap) => gap >= low && gap < high).length;
    return { label: Number.isFinite(high) ? `< ${high}` : `>= ${low}`, count };
  });
}
