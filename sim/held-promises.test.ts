import { expect, it } from 'vitest';
import type { Entry } from '../consensus/types.ts';
import type { PeerMessage, RaftMessage } from '../server/core/messages.ts';
import { Server } from '../server/core/server.ts';
import { SimulatedBooks } from './books.ts';
import { SimDisk } from './disk.ts';
import { serverOptions } from './world.ts';

const LEADER = 2;
const ZONE = { name: 'hz1', city: 'hz', leaderWeight: 1 };

/** A server of three, whose disk does what it is told only when the test lets it. */
function setUp() {
  const pending: (() => void)[] = [];
  const sent: PeerMessage[] = [];
  const disk = new SimDisk((_kind, _bytes, done) => pending.push(done));
  const topology = {
    zones: [ZONE],
    servers: [1, 2, 3].map((id) => ({ id, zone: ZONE.name })),
    ledgers: [],
    units: 1,
  };
  const open = () =>
    new Server(serverOptions(1, ZONE.name, topology), {
      disk,
      clock: { monotonicMs: () => 0, wallNs: () => 0n },
      random: () => 0,
      epoch: 1,
      openBooks: (unit) => new SimulatedBooks(unit, () => {}),
      send: (_to, message) => sent.push(message),
      wake: () => {},
      log: () => {},
      fatal: (error) => {
        throw error;
      },
    });
  let server = open();
  /** The disk does all that it was asked. */
  const sync = () => {
    while (pending.length > 0) {
      pending.shift()!();
      server.turn();
    }
  };
  return {
    sent,
    receive: (message: RaftMessage['message']) => {
      server.receive(message.from, { type: 'raft', unit: 1, message });
      server.turn();
    },
    sync,
    /** A power cut that takes every sector that was not synced, and a new process. */
    crash: () => {
      server.stop();
      pending.length = 0;
      disk.crash(() => 0);
      server = open();
      sync();
    },
  };
}

it('what waits for a sync leaves with it, though it needs none itself and no other sync follows', () => {
  const { sent, receive, sync } = setUp();
  const append = (prevIndex: number, entries: readonly Entry[]) =>
    receive({
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
  expect(sent).toEqual([]);
  sync();
  const acks = sent.filter(({ type }) => type === 'raft');
  expect(acks).toHaveLength(2);
});

it('a vote leaves only once it is synced, and holds after a power cut', () => {
  const { sent, receive, sync, crash } = setUp();
  const askedBy = (from: number) =>
    receive({ type: 'vote', from, to: 1, term: 1, lastIndex: 0, lastTerm: 0, forced: false });
  const votes = () =>
    sent.flatMap((peer) =>
      peer.type === 'raft' && peer.message.type === 'voteReply'
        ? [[peer.message.to, peer.message.granted]]
        : [],
    );
  askedBy(2);
  expect(votes()).toEqual([]);
  sync();
  expect(votes()).toEqual([[2, true]]);
  crash();
  askedBy(3);
  sync();
  expect(votes()).toEqual([
    [2, true],
    [3, false],
  ]);
});
