import { expect, it } from 'vitest';
import type { Entry } from '../consensus/types.ts';
import { LoneServer } from './testing/lone-server.ts';

const LEADER = 2;

it('what waits for a sync leaves with it, though it needs none itself and no other sync follows', () => {
  const server = new LoneServer();
  const append = (prevIndex: number, entries: readonly Entry[]) =>
    server.receive({
      type: 'append',
      from: LEADER,
      to: 1,
      term: 1,
      prevIndex,
      prevTerm: prevIndex,
      commit: 0,
      entries,
    });
  append(0, [{ term: 1, index: 1, kind: 0, payload: new Uint8Array(0) }]);
  append(1, []);
  expect(server.sent).toEqual([]);
  server.sync();
  expect(server.said('appendReply')).toHaveLength(2);
});

it('a vote leaves only once it is synced, and holds after a power cut', () => {
  const server = new LoneServer();
  const askedBy = (from: number) =>
    server.receive({
      type: 'vote',
      from,
      to: 1,
      term: 1,
      lastIndex: 0,
      lastTerm: 0,
      forced: false,
    });
  const votes = () => server.said('voteReply').map(({ to, granted }) => [to, granted]);
  askedBy(2);
  expect(votes()).toEqual([]);
  server.sync();
  expect(votes()).toEqual([[2, true]]);
  server.crash();
  askedBy(3);
  server.sync();
  expect(votes()).toEqual([
    [2, true],
    [3, false],
  ]);
});
