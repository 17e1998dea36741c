import { parseArgs } from 'node:util';
import { runSwarm } from './swarm.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const from = Number(values.from);
const seeds = Number(values.seeds);
let failed = 0;
let answered = 0;
for (let seed = from; seed < from + seeds; seed += 1) {
  const print = (timeUs: number, server: number, level: string, text: string) =>
    console.log(`${(timeUs / 1_000).toFixed(1)} ms, server ${server}: ${level} ${text}`);
  const run = runSwarm(seed, values.verbose ? print : undefined);
  answered += run.answered;
  if (values.verbose) for (const fault of run.plan) console.log(JSON.stringify(fault));
  if (run.faults.length === 0) continue;
  failed += 1;
  console.log(
    `seed ${seed} failed after ${run.simulatedMs} ms: ${run.faults.slice(0, 3).join(' | ')}`,
  );
  if (values.stop) break;
}
console.log(`${seeds} seeds from ${from}: ${failed} failed, ${answered} transfers answered`);
process.exitCode = failed > 0 ? 1 : 0;
