import { writeSync } from 'node:fs';
import { FoldMaker } from '../../core/books.fixture.ts';
import { StorageThread } from './storage-thread.ts';

// Commits folds and tells the index of each that is done, until it is killed (crash.test.ts), or up to
// a given index: then it closes and must end by itself.

export const UNIT = 6;
export const CLUSTER = 'crash-test';
const TRANSFERS = 2_000;

/** The same folds in every process. */
export function nextFold(maker: FoldMaker, index: number): ReturnType<FoldMaker['next']> {
  return maker.next({ accounts: index === 1 ? 200 : 10, transfers: TRANSFERS, burnt: 20 });
}

if (process.argv[1] === import.meta.filename) {
  const [folder, last] = process.argv.slice(2) as [string, string];
  const thread = new StorageThread();
  const books = thread.open(UNIT, folder, CLUSTER);
  const maker = new FoldMaker(UNIT, { randomIds: true });
  for (let index = 1; index <= books.index(); index++) nextFold(maker, index);
  const step = (): void => {
    const index = books.index();
    if (index >= Number(last)) {
      void thread.close();
      return;
    }
    books.commit(nextFold(maker, index + 1), (error) => {
      if (error !== null) throw error;
      writeSync(1, `${index + 1}\n`);
      step();
    });
  };
  step();
}
