import { FIELD_BUGS, type Mutant } from './mutant.ts';

const testFile = 'consensus/reconfigure.test.ts';

/** Who takes part, and who must agree while that changes. */
export const MEMBERSHIP: readonly Mutant[] = [
  {
    bug: 2,
    fault: 'A leader starts a change before it has committed in its term: two disjoint majorities.',
    file: 'consensus/reconfigure.ts',
    find: '!ownTermCommitted(core) || log.membershipIndex > log.commit || isJoint',
    replace: 'log.membershipIndex > log.commit || isJoint',
    testFile,
    test: 'C105 C106 C107 no change before the own term is committed, nor beside another',
  },
  {
    bug: 3,
    fault: 'A change counts from its commit on, so a candidate may go by members of long ago.',
    file: 'consensus/log.ts',
    find: 'if (entry.kind === EntryKind.membership) this.#noteMembership(entry);',
    replace:
      'if (entry.kind === EntryKind.membership && entry.index <= this.#commit) this.#noteMembership(entry);',
    testFile,
    test: 'C117 one and two entries are taken back when they are truncated',
  },
  {
    bug: 4,
    fault: 'Two voters are added in one step: the old majority and the new one need not meet.',
    file: 'consensus/membership.ts',
    find: 'return coming + going <= 1 ? simpleChange(current, target) : enterJoint(current, target);',
    replace:
      'return coming + going <= 2 && !isJoint(current) ? checked({ ...NO_MEMBERS, voters: ascending(target.voters), learners: ascending(target.learners) }) : enterJoint(current, target);',
    testFile: 'consensus/membership-exhaustive.test.ts',
    test: 'C108 C109 go by one step or two, and every majority before a step meets every one after it',
  },
  {
    bug: 5,
    fault:
      'The next change begins before the last one is committed, and old voters know of neither.',
    file: 'consensus/reconfigure.ts',
    find: '!ownTermCommitted(core) || log.membershipIndex > log.commit || isJoint',
    replace: '!ownTermCommitted(core) || isJoint',
    testFile,
    test: 'C105 C106 C107 no change before the own term is committed, nor beside another',
  },
  {
    bug: 10,
    fault:
      'Who is removed gets no more entries, not even the one that says so, and campaigns for ever.',
    file: 'consensus/reconfigure.ts',
    find: 'new Set<ServerId>([...members, ...core.progress.map(({ id }) => id)])',
    replace: 'new Set<ServerId>(members)',
    testFile,
    test: 'one that is removed gets its removal, and is then left alone',
  },
  {
    bug: 10,
    fault:
      'A leader that is removed goes before its removal is committed, and the others cannot finish it.',
    file: 'consensus/reconfigure.ts',
    find: '  switchMembership(core);\n  broadcastAppend(core);\n  return index;',
    replace:
      '  switchMembership(core);\n  broadcastAppend(core); if (!isVoter(core, core.self)) becomeFollower(core, core.term, 0);\n  return index;',
    testFile,
    test: 'C57 C113 a leader on its way out refuses proposals and does not count itself',
  },
  {
    bug: 11,
    fault: 'While two sets of voters must agree only one is counted: for commits.',
    file: 'consensus/quorum.ts',
    find: 'lowest = Math.min(lowest, values[voters.length - majority(voters.length)] as number);',
    replace: 'lowest = values[voters.length - majority(voters.length)] as number;',
    testFile: 'consensus/quorum-exhaustive.test.ts',
    test: 'C53 C110 the index reached is the best that any quorum has in common',
  },
  {
    bug: 11,
    fault: 'While two sets of voters must agree only one is counted: for votes.',
    file: 'consensus/quorum.ts',
    find: "if (granted < needed) outcome = 'pending';",
    replace: "outcome = granted < needed ? 'pending' : 'won';",
    testFile: 'consensus/quorum-exhaustive.test.ts',
    test: 'C17 C110 votes are won, lost or open as no future answer can change',
  },
  {
    bug: 12,
    fault:
      'Who votes in the outgoing half alone does not vote for itself there: nobody wins any more.',
    file: 'consensus/election.ts',
    find: "core.sendAfterDurable.push({ type: 'voteReply', from: self, to, term, granted: true });",
    replace:
      "core.sendAfterDurable.push({ type: 'voteReply', from: self, to, term, granted: log.membership.voters.includes(self) });",
    testFile: FIELD_BUGS,
    test: 'a voter of the outgoing half alone counts its own vote there',
  },
  {
    bug: 13,
    fault: 'When the last membership is truncated, the one before it is forgotten too.',
    file: 'consensus/log.ts',
    find: 'while (this.membershipIndex >= index) this.#memberships.pop();',
    replace: 'if (this.membershipIndex >= index) this.#memberships.length = 1;',
    testFile,
    test: 'C117 one and two entries are taken back when they are truncated',
  },
  {
    bug: 17,
    fault: 'Learners count like voters: an entry is committed that no majority of voters holds.',
    file: 'consensus/membership.ts',
    find: 'export function voterSetsOf({ voters, outgoing }: Membership): VoterSets {\n  return outgoing.length === 0 ? [voters] : [voters, outgoing];',
    replace:
      'export function voterSetsOf({ voters, outgoing, learners }: Membership): VoterSets {\n  return outgoing.length === 0 ? [[...voters, ...learners]] : [voters, outgoing];',
    testFile: FIELD_BUGS,
    test: 'two learners and one voter of three make no majority',
  },
];
