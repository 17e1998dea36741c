import { parseArgs } from 'node:util';
import { runEveryKind } from './every-kind.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' } },
});

const from = Number(values.from);
const seeds = Number(values.seeds);
let failed = 0;
let answered = 0;
let expired = 0;
for (let seed = from; seed < from + seeds; seed += 1) {
  const run = runEveryKind(seed);
  answered += run.answered;
  expired += run.expired;
  if (run.faults.length === 0) continue;
  failed += 1;
  console.log(`seed ${seed} failed: ${run.faults.slice(0, 3).join(' | ')}`);
}
console.log(
  `every kind, ${seeds} seeds from ${from}: ${failed} failed, ${answered} requests, ${expired} expired`,
);
process.exitCode = failed > 0 || expired === 0 ? 1 : 0;
