import { parseArgs } from 'node:util';
import { exploreMany } from './explorer.ts';
import { noCounts, pathsMissed } from './explorer-counts.ts';

// Walks at random over groups of servers until so many steps are done:
//     node consensus/testing/explorer-main.ts --steps 1000000 --seed 1 --nodes 3
// A failure names its seed: --seed S --steps N --walk N repeats that walk alone.

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '3,5' },
    walk: { type: 'string', default: '5000' },
  },
});

function natural(name: 'steps' | 'seed' | 'walk'): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} wants a whole number`);
  return value;
}

const options = { steps: natural('steps'), seed: natural('seed'), walkSteps: natural('walk') };
for (const size of values.nodes.split(',').map(Number)) {
  if (size !== 3 && size !== 5) throw new Error('--nodes wants 3, 5 or both');
  let sum = noCounts();
  try {
    sum = exploreMany({ ...options, size }, (now) => {
      sum = now;
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    const seed = options.seed + sum.steps / options.walkSteps;
    const again = `--nodes ${size} --seed ${seed} --steps ${options.walkSteps} --walk ${options.walkSteps}`;
    process.stderr.write(`again: node consensus/testing/explorer-main.ts ${again}\n`);
    process.exitCode = 1;
    continue;
  }
  const counts = Object.entries(sum).map(([name, count]) => `${name} ${count}`);
  console.log(`${size} servers, seeds from ${options.seed}: ${counts.join(', ')}`);
  const missed = pathsMissed(sum);
  if (missed.length === 0) continue;
  process.stderr.write(`never met: ${missed.join(', ')}\n`);
  process.exitCode = 1;
}
