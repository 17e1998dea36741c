import { expect, it } from 'vitest';
import { READ_TURN_MS } from '../limits.ts';
import { ReadQueue } from './queue.ts';

it('reads are answered in order, and no longer at a time than they may take', () => {
  let nowMs = 0;
  let woken = 0;
  const answered: number[] = [];
  const queue = new ReadQueue<number>(
    () => nowMs,
    (read) => {
      answered.push(read);
      nowMs += READ_TURN_MS / 2;
    },
    () => {
      woken += 1;
    },
  );
  queue.add([1, 2, 3, 4, 5]);
  expect(answered).toEqual([1, 2]);
  queue.run();
  expect(answered).toEqual([1, 2, 3, 4]);
  queue.add([6]);
  expect(answered).toEqual([1, 2, 3, 4, 5, 6]);
  expect(woken).toBe(2);
  queue.run();
  expect(answered).toHaveLength(6);
});

it('one read is answered however long it takes', () => {
  let nowMs = 0;
  const queue = new ReadQueue<number>(
    () => nowMs,
    () => {
      nowMs += 1_000;
    },
    () => {},
  );
  queue.add([1]);
  expect(nowMs).toBe(1_000);
});
