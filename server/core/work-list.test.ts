import { expect, it } from 'vitest';
import { WorkList } from './work-list.ts';

it('gives each marked unit once, ascending, and keeps what is marked meanwhile for the next time', () => {
  const work = new WorkList(9);
  for (const unit of [7, 0, 9, 7, 0]) work.mark(unit);
  const taken = work.take();
  work.mark(7);
  expect(taken).toEqual([0, 7, 9]);
  expect(work.isEmpty).toBe(false);
  expect(work.take()).toEqual([7]);
  expect(work.isEmpty).toBe(true);
});
