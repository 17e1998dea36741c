import { ELECTION } from './election.ts';
import type { Mutant } from './mutant.ts';
import { READS } from './reads.ts';
import { REPLICATION } from './replication.ts';

export const MUTANTS: readonly Mutant[] = [...ELECTION, ...REPLICATION, ...READS].sort(
  (a, b) => a.bug - b.bug,
);
