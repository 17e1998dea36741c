import { Random } from '../../../cmd/bank/random.ts';

/** Printed, so that a failure can be tried again; random moments of real processes are not repeated exactly. */
export function seededRandom(what: string): { seed: number; random: Random } {
  const seed = Number(process.env.EVENKEEL_SEED ?? 1);
  console.log(`${what}: EVENKEEL_SEED=${seed}`);
  return { seed, random: new Random(seed) };
}
