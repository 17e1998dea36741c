import { expect, it } from 'vitest';
import type { Entry } from '../consensus/types.ts';
import type { Books } from '../server/core/books.ts';
import type { PeerMessage, RaftMessage } from '../server/core/messages.ts';
import { Server } from '../server/core/server.ts';
import { SimulatedBooks } from './books.ts';
import { SimDisk } from './disk.ts';
import { serverOptions } from './world.ts';

const ZONE = { name: 'hz1', city: 'hz', leaderWeight: 1 };

/** One server of `size`, whose disk does at once what it is told. */
function setUp(
  size: number,
  openBooks = (unit: number): Books => new SimulatedBooks(unit, () => {}),
) {
  const pending: (() => void)[] = [];
  const sent: PeerMessage[] = [];
  const errors: string[] = [];
  const disk = new SimDisk((_kind, _bytes, done) => pending.push(done));
  const servers = Array.from({ length: size }, (_, i) => ({ id: i + 1, zone: ZONE.name }));
  const topology = { zones: [ZONE], servers, ledgers: [], units: 1 };
  const server = new Server(serverOptions(1, ZONE.name, topology), {
    disk,
    clock: { monotonicMs: () => 0, wallNs: () => 0n },
    random: () => 0,
    epoch: 1,
    openBooks,
    send: (_to, message) => sent.push(message),
    wake: () => {},
    log: () => {},
    fatal: (error) => errors.push(error.message),
  });
  const work = () => {
    server.turn();
    while (pending.length > 0) {
      pending.shift()!();
      server.turn();
    }
  };
  work();
  return {
    server,
    disk,
    sent,
    errors,
    work,
    receive: (message: RaftMessage['message']) => {
      server.receive(message.from, { type: 'raft', unit: 1, message });
      work();
    },
  };
}

it('a server whose sync failed says nothing more, and asks for its end once', () => {
  const { server, disk, sent, errors, work, receive } = setUp(3);
  disk.failSyncs(1);
  receive({ type: 'vote', from: 2, to: 1, term: 1, lastIndex: 0, lastTerm: 0, forced: false });
  expect(errors).toEqual([expect.stringContaining('this process must stop')]);
  expect(sent).toEqual([]);
  // It would tell its peers that it lives, and campaign.
  for (let i = 0; i < 400; i++) {
    server.tick();
    work();
  }
  expect(sent).toEqual([]);
  expect(errors).toHaveLength(1);
});

it('entries reach the log before a hard state that commits them', () => {
  const { sent, receive } = setUp(3);
  const entry: Entry = { term: 1, index: 1, kind: 0, payload: new Uint8Array(0) };
  const message = { from: 2, to: 1, term: 1, prevIndex: 0, prevTerm: 0, entries: [entry] };
  receive({ type: 'append', ...message, commit: 1 });
  const acks = sent.map((peer) => peer.type === 'raft' && peer.message.type === 'appendReply');
  expect(acks).toEqual([true]);
});

it('a server whose books cannot be written asks for its end', () => {
  const { server, errors, work } = setUp(1, (unit) => {
    const books = new SimulatedBooks(unit, () => {});
    books.commit = (_fold, done) => done(new Error('no space left'));
    return books;
  });
  for (let i = 0; i < 400 && errors.length === 0; i++) {
    server.tick();
    work();
    server.foldAll();
  }
  expect(errors).toEqual(['no space left']);
});
