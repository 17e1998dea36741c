import { describe, expect, it } from 'vitest';
import {
  type ClusterChange,
  changedTopology,
  changeProblem,
  refusalByHealth,
  refusalByState,
} from './cluster-change.ts';
import type { Topology } from './topology.ts';

const TOPOLOGY: Topology = {
  zones: ['hz1', 'hz2', 'sh1'].map((name) => ({ name, city: 'c', leaderWeight: 1 })),
  servers: [1, 2, 3, 4, 5].map((id) => ({
    id,
    zone: ['hz1', 'hz1', 'hz2', 'hz2', 'sh1'][id - 1]!,
  })),
  ledgers: [],
  units: 1,
};
const server = (id: number, zone = 'sh1') => ({
  id,
  zone,
  address: `host:${7400 + id}`,
  peerAddress: `host:${7500 + id}`,
});
const add = (id: number, zone?: string): ClusterChange => ({
  change: 'addServer',
  server: server(id, zone),
});
const remove = (...ids: number[]): ClusterChange => ({ change: 'removeServers', ids });
const drain = (zone: string): ClusterChange => ({ change: 'drainZone', zone });
const heard = (...silent: number[]) => ({
  isHeard: (id: number) => !silent.includes(id),
  settled: true,
  mayVote: () => true,
});
const changed = (...changes: ClusterChange[]) => changes.reduce(changedTopology, TOPOLOGY);

describe('a change of the cluster', () => {
  it.each([
    ['an id that is there', add(3), 'member_exists', 'server 3 is a member already, in zone hz2'],
    ['a zone that is not there', add(6, 'hz9'), 'zone_unknown', 'only hz1, hz2, sh1'],
    ['a server that is not there', remove(1, 9), 'member_unknown', 'there are 1, 2, 3, 4, 5'],
    ['a majority at once', remove(1, 2, 3), 'quorum_at_risk', '3 of 5 servers'],
    ['all', remove(1, 2, 3, 4, 5), 'last_voter', 'the last server'],
    ['a zone that is not there', drain('hz9'), 'zone_unknown', 'only hz1, hz2, sh1'],
  ])('is refused for %s', (_, change, code, text) => {
    expect(refusalByState(TOPOLOGY, change)).toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
  });

  it('never takes an id or an address again', () => {
    expect(refusalByState(changed(add(6), remove(6)), add(6))).toMatchObject({
      code: 'server_id_used',
    });
    const sameAddress: ClusterChange = { change: 'addServer', server: { ...server(6), id: 7 } };
    expect(refusalByState(changed(add(6)), sameAddress)).toMatchObject({ code: 'member_exists' });
  });

  it('is refused where too few that answer would be left', () => {
    expect(refusalByHealth(TOPOLOGY, remove(1), heard())).toBeNull();
    expect(refusalByHealth(TOPOLOGY, remove(1), heard(2))).toBeNull();
    expect(refusalByHealth(TOPOLOGY, remove(1), heard(2, 3))).toMatchObject({
      code: 'quorum_at_risk',
      message: expect.stringContaining('2, 3 cannot be reached, and a quorum is 3'),
    });
    expect(refusalByHealth(TOPOLOGY, remove(2, 3), heard(2, 3))).toBeNull();
    expect(refusalByHealth(TOPOLOGY, add(6), { ...heard(), settled: false })).toMatchObject({
      code: 'change_in_flight',
    });
  });

  it('takes out who does not vote though a change is under way: it may never come to an end', () => {
    const learning = { ...heard(6), settled: false, mayVote: (id: number) => id !== 6 };
    const topology = changed(add(6));
    expect(refusalByHealth(topology, remove(6), learning)).toBeNull();
    expect(refusalByHealth(topology, remove(5, 6), learning)).toMatchObject({
      code: 'change_in_flight',
    });
  });

  it('drains no zone whose absence would leave no quorum', () => {
    expect(refusalByHealth(TOPOLOGY, drain('hz1'), heard())).toBeNull();
    expect(refusalByHealth(TOPOLOGY, drain('hz1'), heard(1, 2))).toBeNull();
    expect(refusalByHealth(TOPOLOGY, drain('hz1'), heard(5))).toMatchObject({
      code: 'quorum_at_risk',
    });
    expect(refusalByHealth(changed(drain('hz2')), drain('hz1'), heard())).toMatchObject({
      code: 'quorum_at_risk',
      message: expect.stringContaining('without hz1, hz2 only 1 of 5'),
    });
    const back: ClusterChange = { change: 'restoreZone', zone: 'hz2' };
    expect(refusalByHealth(changed(drain('hz2'), back), drain('hz1'), heard())).toBeNull();
  });

  it.each([
    [remove(), 'ids: none given'],
    [remove(1, 1), 'ids: one is given twice'],
    [remove(0), 'ids: each is 1 to 65535'],
    [drain(''), 'zone: not given'],
    [add(65_536), 'id: must be 1 to 65535'],
    [
      { change: 'addServer', server: { ...server(6), address: 'nowhere' } },
      'address: must be host:port',
    ],
    [
      { change: 'addServer', server: { ...server(6), peerAddress: 'h:0' } },
      'peerAddress: must be host:port',
    ],
    [{ change: 'dance' } as never, 'its kind is unknown'],
  ] as const)('%j is no change', (change, problem) => {
    expect(changeProblem(change)).toBe(problem);
  });
});
