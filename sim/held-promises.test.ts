import { expect, it } from 'vitest';
import type { Entry, Message } from '../consensus/types.ts';
import type { PeerMessage } from '../server/core/messages.ts';
import { Server } from '../server/core/server.ts';
import { SimulatedBooks } from './books.ts';
import { SimDisk } from './disk.ts';
import { serverOptions } from './world.ts';

const LEADER = 2;
const ZONE = { name: 'hz1', city: 'hz', leaderWeight: 1 };

it('what waits for a sync leaves with it, though it needs none itself and no other sync follows', () => {
  const disk: (() => void)[] = [];
  const sent: PeerMessage[] = [];
  const topology = {
    zones: [ZONE],
    servers: [1, 2, 3].map((id) => ({ id, zone: ZONE.name })),
    ledgers: [],
    units: 1,
  };
  const server = new Server(serverOptions(1, ZONE.name, topology), {
    disk: new SimDisk((_kind, _bytes, done) => disk.push(done)),
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
  const append = (prevIndex: number, entries: readonly Entry[]) => {
    const message: Message = {
      type: 'append',
      from: LEADER,
      to: 1,
      term: 1,
      prevIndex,
      prevTerm: prevIndex,
      commit: 0,
      entries,
    };
    server.receive(LEADER, { type: 'raft', unit: 1, message });
    server.turn();
  };
  append(0, [{ term: 1, index: 1, kind: 0, payload: new Uint8Array(0) }]);
  append(1, []);
  expect(sent).toEqual([]);
  while (disk.length > 0) {
    disk.shift()!();
    server.turn();
  }
  const acks = sent.filter(({ type }) => type === 'raft');
  expect(acks).toHaveLength(2);
});
