import type { Mutant } from './mutant.ts';

const testFile = 'consensus/election.test.ts';

/** Votes, terms, who may campaign and who must step down. */
export const ELECTION: readonly Mutant[] = [
  {
    bug: 15,
    fault:
      'Term and index are compared each by itself: of two logs neither is up to date, and nobody wins.',
    file: 'consensus/log.ts',
    find: 'return term > ownTerm || (term === ownTerm && index >= ownIndex);',
    replace: 'return term >= ownTerm && index >= ownIndex;',
    testFile: 'consensus/log.test.ts',
    test: 'being up to date is a total order, by term first',
  },
  {
    bug: 30,
    fault:
      'A voter refuses the very leader that it follows, when that one lost office and asks again.',
    file: 'consensus/election.ts',
    find: 'if (core.leader === 0 || core.leader === message.from) return false;',
    replace: 'if (core.leader === 0) return false;',
    testFile,
    test: 'C43 the leader that a voter follows is not refused',
  },
  {
    bug: 31,
    fault: 'The grant of a pre-vote names the own term, and who asked takes it for stale.',
    file: 'consensus/election.ts',
    find: 'const term = granted ? message.term : core.term;',
    replace: 'const term = core.term;',
    testFile,
    test: 'C33 a grant echoes the term asked about, a refusal tells the own',
  },
  {
    bug: 32,
    fault: 'Survivors whose clocks stand at exactly the threshold refuse each other for ever.',
    file: 'consensus/election.ts',
    find: 'core.leaderElapsed < core.config.voteRefusalTicks',
    replace: 'core.leaderElapsed <= core.config.voteRefusalTicks',
    testFile,
    test: 'C44 silence of exactly the threshold counts as expired',
  },
  {
    bug: 33,
    fault: 'Who was cut off comes back with a higher term and brings a healthy leader down.',
    file: 'consensus/raft.ts',
    find: 'if (core.candidacyElapsed >= core.candidacyTicks) preCampaign(core);',
    replace: 'if (core.candidacyElapsed >= core.candidacyTicks) campaign(core, false);',
    testFile,
    test: 'C34 C35 who was cut off, and is behind, disturbs nobody on return',
  },
  {
    bug: 34,
    fault:
      'A leader that hears no majority stays, and under partial connectivity nobody can serve.',
    file: 'consensus/election.ts',
    find: 'if (!active) becomeFollower(core, core.term, 0);',
    replace: 'if (!active && core.term === 0) becomeFollower(core, core.term, 0);',
    testFile,
    test: 'C42 without a quorum it steps down in the same term, within two intervals',
  },
  {
    bug: 34,
    fault: 'Who does not hear the leader campaigns without asking first: terms rise for ever.',
    file: 'consensus/raft.ts',
    find: 'if (core.candidacyElapsed >= core.candidacyTicks) preCampaign(core);',
    replace: 'if (core.candidacyElapsed >= core.candidacyTicks) campaign(core, false);',
    testFile: 'consensus/partial-connectivity.test.ts',
    test: 'C144 of',
  },
  {
    bug: 41,
    fault: 'A candidate whose grant got lost asks again in the same term and is refused.',
    file: 'consensus/election.ts',
    find: 'core.vote === message.from || (core.vote === 0 && core.leader === 0)',
    replace: 'core.vote === 0 && core.leader === 0',
    testFile,
    test: 'C18 one vote a term, and again for the same candidate',
  },
  {
    bug: 44,
    fault:
      'The reply to a vote leaves before the vote is on disk: after a crash a second one, two leaders.',
    file: 'consensus/election.ts',
    find: "core.sendAfterDurable.push({ type: 'voteReply', from: self, to, term, granted }); // C21",
    replace: "core.sendNow.push({ type: 'voteReply', from: self, to, term, granted });",
    testFile,
    test: 'C21 vote and term are durable before the vote reply leaves',
  },
  {
    bug: 52,
    fault: 'A live leader gives its vote to whoever asks, and ends its own leadership for nothing.',
    file: 'consensus/election.ts',
    find: "return core.role === 'leader' || core.leaderElapsed",
    replace: "return core.role !== 'leader' && core.leaderElapsed",
    testFile,
    test: 'C43 a live leader ignores campaigns',
  },
];
