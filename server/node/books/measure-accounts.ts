import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ACCOUNT_ROW_WORDS, AccountRowWord, AccountWord } from '../../../ledger/layout.ts';
import { Machine } from '../../../ledger/machine.ts';
import { emptyFold } from '../../core/books.fixture.ts';
import { StorageThread } from './storage-thread.ts';

// How long a start takes with many accounts: books written, then loaded into a machine.
//   node server/node/books/measure-accounts.ts --accounts 10000000

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '10000000' },
    folder: { type: 'string', default: tmpdir() },
  },
});

const UNIT = 1;
const ACCOUNTS_A_FOLD = 100_000;
const folder = mkdtempSync(join(values.folder, 'evenkeel-measure-'));
const thread = new StorageThread();
try {
  const books = thread.open(UNIT, folder, 'measure');
  const total = Number(values.accounts);
  const writeStart = performance.now();
  for (let made = 0, index = 0; made < total; made += ACCOUNTS_A_FOLD, index += 1) {
    const accounts = accountRows(made, Math.min(ACCOUNTS_A_FOLD, total - made));
    const fold = { ...emptyFold(UNIT, index, index + 1), accounts };
    await new Promise<void>((resolve, reject) => {
      books.commit(fold, (error) => (error === null ? resolve() : reject(error)));
    });
  }
  console.log(`${total} accounts written in ${secondsSince(writeStart)} s`);
  const loadStart = performance.now();
  const machine = Machine.load(
    {
      unit: UNIT,
      residentTransfersMax: 1_000,
      hashSeed: 1,
      idFilter: { bytesMax: 64 * 2 ** 20, windowIds: 100_000 },
    },
    books.load(),
  );
  const mib = (process.memoryUsage().rss / 2 ** 20).toFixed(0);
  console.log(
    `${machine.accountCount} accounts loaded in ${secondsSince(loadStart)} s, ${mib} MiB`,
  );
} finally {
  await thread.close();
  rmSync(folder, { recursive: true });
}

/** Accounts with random ids. */
function accountRows(firstHandle: number, count: number): Uint32Array {
  const rows = new Uint32Array(count * ACCOUNT_ROW_WORDS);
  for (let row = 0; row < count; row += 1) {
    const at = row * ACCOUNT_ROW_WORDS;
    crypto.getRandomValues(rows.subarray(at, at + 4));
    rows[at + AccountWord.ledger] = 1;
    rows[at + AccountWord.codeAndFlags] = 1;
    rows[at + AccountWord.timestamp] = firstHandle + row + 1;
    rows[at + AccountRowWord.handle] = firstHandle + row;
  }
  return rows;
}

function secondsSince(startMs: number): string {
  return ((performance.now() - startMs) / 1_000).toFixed(1);
}
