import { FIELD_BUGS, type Mutant } from './mutant.ts';

const testFile = 'consensus/replication.test.ts';

/** Appends, acks, the commit that follows, and what may pile up. */
export const REPLICATION: readonly Mutant[] = [
  {
    bug: 1,
    fault: 'Entries of an older term are committed by counting copies, and then overwritten.',
    file: 'consensus/replication.ts',
    find: 'if (reached < core.termStart || !commitTo(core, reached)) return;',
    replace: 'if (!commitTo(core, reached)) return;',
    testFile,
    test: 'C79 C80 an old entry on a majority is committed only with one of the own term',
  },
  {
    bug: 6,
    fault:
      "A follower acks its own longer tail, and the leader commits what nobody else's log holds.",
    file: 'consensus/replication.ts',
    find: 'ackAppend(core, message.from, covered);',
    replace: 'ackAppend(core, message.from, log.lastIndex());',
    testFile,
    test: 'C72 the ack names the end of the message, not of the own log',
  },
  {
    bug: 7,
    fault: 'The index in a rejection counts as an ack, and the commit moves on it.',
    file: 'consensus/replication.ts',
    find: '    // Says nothing of what matches (CCF#6016).',
    replace:
      '    progress.match = Math.max(progress.match, message.hintIndex); advanceCommit(core);',
    testFile: FIELD_BUGS,
    test: 'a rejection acknowledges nothing, whatever index its hint names',
  },
  {
    bug: 8,
    fault:
      'The hint of a rejection is the index asked about: the leader asks the same again for ever.',
    file: 'consensus/replication.ts',
    find: 'hintIndex: hint.index,',
    replace: 'hintIndex: message.prevIndex,',
    testFile,
    test: 'C74 leader',
  },
  {
    bug: 9,
    fault: 'Who steps down drops what it has not committed, though a majority may count on it.',
    file: 'consensus/roles.ts',
    find: "  core.role = 'follower';",
    replace:
      "  if (core.role === 'leader') core.log.merge([{ term, index: core.log.commit + 1, kind: 0, payload: NO_BYTES }]); core.role = 'follower';",
    testFile: FIELD_BUGS,
    test: 'stepping down leaves the log as it is, committed or not',
  },
  {
    bug: 14,
    fault: 'An append cuts off all that follows it, so a delayed one takes back what was acked.',
    file: 'consensus/log.ts',
    find: 'if (this.matches(entry.index, entry.term)) continue;',
    replace: 'if (entry.index <= this.#commit) continue;',
    testFile,
    test: 'C68 after',
  },
  {
    bug: 23,
    fault:
      'A new leader adds no entry of its own: what it holds is not committed, and reads are stale.',
    file: 'consensus/roles.ts',
    find: '  appendOwn(core, EntryKind.empty, NO_BYTES);',
    replace: '',
    testFile,
    test: 'C58 a new leader appends an empty entry of its term at once',
  },
  {
    bug: 28,
    fault:
      'A follower whose own disk is slow takes the silence of its own acks for that of the leader.',
    file: 'consensus/roles.ts',
    find: '  core.candidacyElapsed = 0;\n  core.leaderElapsed = 0;\n  core.preVoteAttempts = 0;',
    replace: '  if (!core.log.hasUnstable()) core.candidacyElapsed = 0;',
    testFile: FIELD_BUGS,
    test: 'a follower whose disk stands still does not campaign against a leader that it hears',
  },
  {
    bug: 29,
    fault: 'A follower that is being repaired, and rejects appends, campaigns all the while.',
    file: 'consensus/raft.ts',
    find: "      case 'append':\n        hearLeader(core, message.from);",
    replace:
      "      case 'append':\n        if (core.log.matches(message.prevIndex, message.prevTerm)) hearLeader(core, message.from);",
    testFile,
    test: 'C138 a rejected append, too, puts off the campaign',
  },
  {
    bug: 47,
    fault:
      'Nothing bounds what is proposed and not committed: a leader without a majority runs full.',
    file: 'consensus/raft.ts',
    find: 'core.uncommittedBytes + bytes > core.config.maxUncommittedBytes',
    replace: 'core.uncommittedBytes + bytes > Number.MAX_SAFE_INTEGER',
    testFile,
    test: 'C135 proposals above the quota are refused, but one always fits, and empty ones do',
  },
  {
    bug: 47,
    fault: 'Nothing bounds what is committed and not applied.',
    file: 'consensus/log.ts',
    find: 'if (this.#applyingBytes > 0 && this.#applyingBytes >= this.#applyingBytesMax) return false;',
    replace: '',
    testFile,
    test: 'C62 C136 what is committed comes in pages, in order, each entry once',
  },
  {
    bug: 48,
    fault: 'A new leader reads its whole log first: with a long one the election takes for ever.',
    file: 'consensus/roles.ts',
    find: '  core.termStart = log.lastIndex() + 1;',
    replace:
      '  core.termStart = log.lastIndex() + 1; for (let i = log.firstIndex(); i <= log.lastIndex(); i++) log.term(i);',
    testFile: FIELD_BUGS,
    test: 'an election costs the same whatever the length of the log',
  },
  {
    bug: 50,
    fault: 'Entries are not synced: a majority that crashes forgets what was acknowledged.',
    file: 'consensus/raft.ts',
    find: '      entries.length > 0 ||\n      core.term !== core.saved.term ||',
    replace: '      core.term !== core.saved.term ||',
    testFile,
    test: 'C65 only a changed term or vote, or entries, need a sync',
  },
];
