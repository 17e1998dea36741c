import type { Mutant } from './mutant.ts';

const testFile = 'sim/storage-errors.test.ts';

/** What the disk holds, in which order, and what an error of it means. */
export const STORAGE: readonly Mutant[] = [
  {
    bug: 27,
    fault: 'A server whose log cannot be written goes on answering as if it could.',
    file: 'server/core/server.ts',
    find: "be said.\n        this.#state = 'stopped';",
    replace: 'be said.',
    testFile,
    test: 'a server whose sync failed says nothing more, and asks for its end once',
  },
  {
    bug: 36,
    fault:
      'The commit is written before the entries it commits: after a crash the log cannot be read.',
    file: 'server/core/group.ts',
    find: '      if (output.entries.length > 0) this.#log.append(this.unit, output.entries);\n      if (output.hardState !== null) this.#log.setHardState(this.unit, output.hardState);',
    replace:
      '      if (output.hardState !== null) this.#log.setHardState(this.unit, output.hardState);\n      if (output.entries.length > 0) this.#log.append(this.unit, output.entries);',
    testFile,
    test: 'entries reach the log before a hard state that commits them',
  },
  {
    bug: 37,
    fault: 'A replica starts with a commit that its log does not reach.',
    file: 'consensus/log.ts',
    find: '    if (commit < first - 1 || commit > last) {',
    replace: '    if (commit < 0) {',
    testFile: 'consensus/replication.test.ts',
    test: 'C64 ',
  },
  {
    bug: 38,
    fault: 'Where the log starts after a compaction is not written down, and no restart finds it.',
    file: 'server/core/log/log.ts',
    find: '    this.#addMark(RecordType.compacted, unitId, mark);',
    replace: '',
    testFile: 'sim/log-model.test.ts',
    test: 'starts after what was compacted and still knows its term and membership (C128)',
  },
  {
    bug: 46,
    fault: 'A server goes on though its books could not be written.',
    file: 'server/core/ledger-unit.ts',
    find: '      this.#foldUnderWay = false;\n      if (error !== null) {\n        this.#env.fatal(error);',
    replace: '      this.#foldUnderWay = false;\n      if (error !== null) {',
    testFile,
    test: 'a server whose books cannot be written asks for its end',
  },
  {
    bug: 51,
    fault: 'The applied index is not written together with the state that it describes.',
    file: 'server/node/books/writer.ts',
    find: 'this.#database.transaction(() => this.#write(fold)).immediate();',
    replace: 'this.#write(fold);',
    testFile: 'server/node/books/books.test.ts',
    test: 'for an id it has already leaves nothing behind',
  },
  {
    bug: 37,
    fault:
      'A server whose disk was wiped comes back under its old id, and has forgotten its votes.',
    file: 'server/node/known-disks.ts',
    find: '    if (known === disk) return null;',
    replace: '    if (known === disk || known !== undefined) return null;',
    testFile: 'server/node/known-disks.test.ts',
    test: 'C142 a peer that comes back with another disk under its old id is refused, for good',
  },
  {
    bug: 39,
    fault:
      'The log lets entries go that the books hold, but not durably: after a crash they are nowhere.',
    file: 'server/core/compaction.ts',
    find: 'return Math.min(kept, Math.max(needed, neededAtMost), durableIndex);',
    replace: 'return Math.min(kept, Math.max(needed, neededAtMost));',
    testFile: 'sim/compaction.test.ts',
    test: 'C127 keeps what the books do not hold durably, though they hold it',
  },
  {
    bug: 39,
    fault:
      'The log lets entries go that the books hold, but not durably: after a crash they are nowhere.',
    file: 'server/core/compaction.ts',
    find: 'if (needed >= kept) return Math.min(kept, durableIndex);',
    replace: 'if (needed >= kept) return kept;',
    testFile: 'sim/compaction.test.ts',
    test: 'C127 keeps what the books do not hold durably, though they hold it',
  },
  {
    bug: 40,
    fault: 'Copied books are put in force by their index alone, whatever they hold.',
    file: 'server/core/books-copy.ts',
    find: '      if (is !== should) throw differs(',
    replace: '      if (is === null) throw differs(',
    testFile: 'sim/books.test.ts',
    test: 'not at all if a row is damaged, lost, doubled, or from elsewhere',
  },
  {
    bug: 43,
    fault: 'A snapshot is read from several points in time.',
    file: 'server/node/books/copy-reader.ts',
    find: "    file.database.exec('BEGIN');",
    replace: '',
    testFile: 'server/node/books/books.test.ts',
    test: 'as of one index, while both go on folding',
  },
  {
    bug: 53,
    fault:
      'The log is cut while a follower installs: it needs the next snapshot, and so on for ever.',
    file: 'server/core/catch-up/source.ts',
    find: '    this.#pins.set(session.unit, { index: session.opened.index, untilMs });',
    replace: '',
    testFile: 'server/core/catch-up/source.test.ts',
    test: 'keeps the log from the copied index on, until the copier had time to go on from there',
  },
  {
    bug: 53,
    fault: 'The log is cut though a copy goes on from there.',
    file: 'server/core/compaction.ts',
    find: 'this.#options.pinnedAt() ?? kept',
    replace: 'kept',
    testFile: 'sim/compaction.test.ts',
    test: 'keeps what a copy of the books goes on from',
  },
];
