import { ELECTION } from './election.ts';
import { LIVENESS } from './liveness.ts';
import { MEMBERSHIP } from './membership.ts';
import type { Mutant } from './mutant.ts';
import { READS } from './reads.ts';
import { REPLICATION } from './replication.ts';
import { SNAPSHOT } from './snapshot.ts';
import { STORAGE } from './storage.ts';

export const MUTANTS: readonly Mutant[] = [
  ...ELECTION,
  ...LIVENESS,
  ...MEMBERSHIP,
  ...READS,
  ...REPLICATION,
  ...SNAPSHOT,
  ...STORAGE,
].sort((a, b) => a.bug - b.bug);
