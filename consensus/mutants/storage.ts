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
    find: '        this.#env.fatal(error);\n        return;',
    replace: '        return;',
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
];
