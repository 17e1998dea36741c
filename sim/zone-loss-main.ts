import { parseArgs } from 'node:util';
import { loseZone } from './zone-loss.ts';

// How long units are not served when a zone falls silent, with few units and with many:
//     node sim/zone-loss-main.ts --units 256 --seeds 20
const { values } = parseArgs({
  options: {
    units: { type: 'string', default: '256' },
    few: { type: 'string', default: '4' },
    seeds: { type: 'string', default: '20' },
    /** Fails when the median is more percent above that of few units. */
    within: { type: 'string', default: '20' },
  },
});

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

/** Medians over the seeds of a run's median gap, and of its longest. */
function measure(units: number): { median: number; longest: number } {
  const medians: number[] = [];
  const longest: number[] = [];
  const flushes: number[] = [];
  let affected = 0;
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const { gapsMs, flushes: flushed } = loseZone(seed, units);
    medians.push(at(gapsMs, 0.5));
    longest.push(gapsMs.at(-1)!);
    flushes.push(flushed);
    affected += gapsMs.length;
  }
  const middle = (list: number[]) =>
    at(
      list.sort((a, b) => a - b),
      0.5,
    );
  const result = { median: middle(medians), longest: middle(longest) };
  console.log(
    `${units} units, ${affected / Number(values.seeds)} of them led there: ` +
      `median gap ${result.median.toFixed(0)} ms, until the last is served ${result.longest.toFixed(0)} ms, ` +
      `flushes meanwhile ${middle(flushes)}`,
  );
  return result;
}

const few = measure(Number(values.few));
const many = measure(Number(values.units));
const overMedian = 100 * (many.median / few.median - 1);
const overLongest = 100 * (many.longest / few.longest - 1);
console.log(
  `with more units the median is ${overMedian.toFixed(1)} % longer, the longest ${overLongest.toFixed(1)} %`,
);
process.exitCode = Math.max(overMedian, overLongest) > Number(values.within) ? 1 : 0;
