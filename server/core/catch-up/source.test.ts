import { expect, it } from 'vitest';
import type { Books } from '../books.ts';
import type { BooksReading, BooksState } from '../books-copy.ts';
import { COPY_PIN_MS } from '../limits.ts';
import { CopyKind, type CopyMessage } from '../messages.ts';
import { CopySource } from './source.ts';

const STATE: BooksState = {
  unit: 1,
  index: 10,
  term: 2,
  lastTimestamp: 0n,
  digest: '0'.repeat(16),
  lastRowTimestamp: 0n,
  transferCount: 0,
  requestedCount: 0,
  burntCount: 0,
  decisionCount: 0,
  rowSum: 0,
  burntSum: 0,
  membership: null,
  slots: null,
};

it('keeps the log from the copied index on, until the copier had time to go on from there', () => {
  const reading: BooksReading = {
    open: (done) => done(null, STATE),
    next: (done) => done(null, null),
    close: () => {},
  };
  let nowMs = 1_000;
  const source = new CopySource({
    unit: () => ({ leads: true, books: { copy: () => reading } as unknown as Books }),
    send: () => {},
    nowMs: () => nowMs,
    wake: () => {},
    log: () => {},
  });
  const say = (kind: number): void => {
    const body = new Uint8Array(0);
    const message: CopyMessage = {
      type: 'copy',
      unit: 1,
      session: 7,
      kind,
      sequence: 0,
      table: 0,
      crc: 0,
      body,
    };
    source.receive(2, message);
  };
  expect(source.pinnedAt(1)).toBeNull();
  say(CopyKind.open);
  expect(source.pinnedAt(1)).toBe(10);
  expect(source.pinnedAt(2)).toBeNull();
  say(CopyKind.close);
  expect(source.pinnedAt(1)).toBe(10);
  nowMs += COPY_PIN_MS + 1;
  expect(source.pinnedAt(1)).toBeNull();
});
