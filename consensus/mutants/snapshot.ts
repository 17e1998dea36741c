import { FIELD_BUGS, type Mutant } from './mutant.ts';

const testFile = 'consensus/snapshot.test.ts';

/** State that takes the place of a log, and logs that have lost entries. */
export const SNAPSHOT: readonly Mutant[] = [
  {
    bug: 18,
    fault: 'An older snapshot replaces a newer state, and the replicas differ without a word.',
    file: 'consensus/snapshot.ts',
    find: '  if (index <= log.commit) {',
    replace: '  if (index < 0) {',
    testFile,
    test: 'C122 one that is not beyond the commit is ignored and acknowledged with the commit',
  },
  {
    bug: 19,
    fault: 'What was committed before a snapshot is applied after it: the two race.',
    file: 'consensus/log.ts',
    find: '    this.#applying = mark.index;',
    replace: '',
    testFile,
    test: 'C125 installed, the log starts after it; term and vote stay',
  },
  {
    bug: 35,
    fault: 'A replica that lost its newest entries votes by what is left, for one that lacks them.',
    file: 'consensus/election.ts',
    find: '    core.recovery === null &&\n    (free || ahead) &&',
    replace: '    (free || ahead) &&',
    testFile: 'consensus/recover.test.ts',
    test: 'C141 neither campaigns nor votes before: an entry that it helped to commit is never lost',
  },
  {
    bug: 42,
    fault: 'A candidate takes no snapshot from the leader of its term, and so never finds back.',
    file: 'consensus/raft.ts',
    find: "      case 'snapshot':\n        hearLeader(core, message.from);",
    replace:
      "      case 'snapshot':\n        if (core.role !== 'follower') return;\n        hearLeader(core, message.from);",
    testFile: FIELD_BUGS,
    test: 'a candidate that is sent a snapshot by the leader of its term follows it and takes it',
  },
];
