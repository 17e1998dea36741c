import { expect, it } from 'vitest';
import type { RaftMessage } from '../server/core/messages.ts';
import { LoneServer } from './testing/lone-server.ts';

const LEADER = 2;
const PAYLOAD = new Uint8Array(100);

/** An entry at `index` of the leader of this term, or nothing new behind it; earlier ones are of term 1. */
function append(index: number, entries: 0 | 1, term = 1): RaftMessage['message'] {
  return {
    type: 'append',
    from: LEADER,
    to: 1,
    term,
    prevIndex: index - entries,
    prevTerm: index - entries === 0 ? 0 : 1,
    commit: 0,
    entries: entries === 0 ? [] : [{ term, index, kind: 1, payload: PAYLOAD }],
  };
}

/** Six entries of a leader, each synced by itself, then a vote for another in the next term. */
function run(server: LoneServer): void {
  server.sync();
  for (let index = 1; index <= 6 && server.failure === null; index++) {
    server.receive(append(index, 1));
    server.sync();
  }
  server.receive({
    type: 'vote',
    from: 3,
    to: 1,
    term: 2,
    lastIndex: 6,
    lastTerm: 1,
    forced: true,
  });
  server.sync();
}

function syncsOfARun(): number {
  const server = new LoneServer();
  run(server);
  expect(server.failure).toBeNull();
  return server.syncs;
}

it('C139 whichever sync fails: nothing that rests on it leaves, the process ends, and the next one recovers', () => {
  const total = syncsOfARun();
  expect(total).toBeGreaterThanOrEqual(7);
  for (let failing = 1; failing <= total; failing++) {
    const server = new LoneServer();
    server.failingSync = failing;
    run(server);
    expect(server.failure).toMatchObject({ code: 'log_failed' });
    const acked = Math.max(0, ...server.said('appendReply').map(({ index }) => index));
    const voted = server.said('voteReply').length > 0;
    expect(voted).toBe(false); // the last of the syncs at the latest has failed
    // Whatever comes now is not heard: the process only waits to end.
    const said = server.sent.length;
    server.receive(append(acked + 1, 1));
    server.sync();
    expect(server.sent.length).toBe(said);

    server.crash();
    expect(server.failure).toBeNull();
    // Of the vote, which is noted in two files, one may have been synced: by now the term may be 2.
    server.receive(append(acked, 0, 3));
    server.sync();
    // All that it acknowledged is there.
    expect(server.said('appendReply').at(-1)).toMatchObject({ rejected: false, index: acked });
    server.receive(append(acked + 1, 1, 3));
    server.sync();
    expect(server.said('appendReply').at(-1)).toMatchObject({ rejected: false, index: acked + 1 });
  }
});
