import { FIELD_BUGS, type Mutant } from './mutant.ts';

const testFile = 'consensus/reads.test.ts';

/** Reads that could be stale. */
export const READS: readonly Mutant[] = [
  {
    bug: 16,
    fault: 'Reads have a count of their own for a majority, and it is one too low.',
    file: 'consensus/reads.ts',
    find: 'quorumReached(core.voterSets, (id) =>',
    replace: 'quorumReached(core.voterSets.map((voters) => voters.slice(0, -2)), (id) =>',
    testFile,
    test: 'C82 the index is released only after a quorum confirmed a heartbeat sent after the request',
  },
  {
    bug: 20,
    fault:
      'While leadership is handed over reads are answered unasked, though the heir may lead by then.',
    file: 'consensus/reads.ts',
    find: '    id === core.self ? core.readRound :',
    replace: '    id === core.self || core.transferee !== 0 ? core.readRound :',
    testFile: FIELD_BUGS,
    test: 'C92 during a transfer, too, a read waits for a quorum',
  },
  {
    bug: 21,
    fault:
      'A new leader answers before it has committed in its term, from a commit that is behind.',
    file: 'consensus/reads.ts',
    find: 'core.readRounds.length < ROUNDS_MAX && ownTermCommitted(core)',
    replace: 'core.readRounds.length < ROUNDS_MAX',
    testFile,
    test: 'C84 a new leader postpones reads until it has committed in its term',
  },
  {
    bug: 24,
    fault: 'A leader answers reads from what it holds, and asks nobody whether it still leads.',
    file: 'consensus/reads.ts',
    find: '    core.readsQueued.push({ from: core.self, context });\n    return undefined;',
    replace: '    core.reads.push({ context, index: core.log.commit });\n    return undefined;',
    testFile,
    test: 'C89 an isolated old leader never answers',
  },
  {
    bug: 45,
    fault: 'The wall clock decides how old a promise is, and it can be set back.',
    file: 'consensus/raft.ts',
    find: '    core.ticks++;',
    replace: '    core.ticks = Date.now();',
    testFile: 'test/house.test.ts',
    test: 'keeps the rules of the house',
  },
];
