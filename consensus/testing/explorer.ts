/**
 * A random walk over a group: messages are lost, doubled, reordered and delayed, disks are slow and lose what they
 * held, servers crash and come back with what they had synced, links are cut, members come and go, logs are compacted.
 * Safety is checked all along; then everything is healed and the group must come to rest under one leader, in few
 * terms. The seed decides all.
 */
import { addCounts, type ExplorerReport, noCounts } from './explorer-counts.ts';
import { Walk, type WalkOptions } from './walk.ts';

export function explore(options: WalkOptions): ExplorerReport {
  const walk = new Walk(options);
  try {
    for (let step = 0; step < options.steps; step++) walk.step();
    walk.recover();
  } catch (error) {
    const text = `seed ${options.seed}, size ${options.size}, steps ${options.steps}: ${String(error)}`;
    throw new Error(text, { cause: error });
  }
  return walk.report();
}

/** As many walks of `walkSteps` as make `steps`, each with the next seed. */
export function exploreMany(
  options: WalkOptions & { readonly walkSteps: number },
  onWalk: (sum: ExplorerReport) => void = () => {},
): ExplorerReport {
  const sum = noCounts();
  for (let seed = options.seed; sum.steps < options.steps; seed++) {
    addCounts(sum, explore({ ...options, seed, steps: options.walkSteps }));
    onWalk(sum);
  }
  return sum;
}
