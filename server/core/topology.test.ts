import { describe, expect, it } from 'vitest';
import { SLOT_COUNT } from '../../ledger/layout.ts';
import { isRemote, preferredLeader, slotOwners, type Topology } from './topology.ts';

const topology: Topology = {
  zones: [
    { name: 'hz1', city: 'hz', leaderWeight: 1 },
    { name: 'hz2', city: 'hz', leaderWeight: 1 },
    { name: 'sh1', city: 'sh', leaderWeight: 0 },
  ],
  servers: [
    { id: 1, zone: 'hz1' },
    { id: 2, zone: 'hz2' },
    { id: 3, zone: 'sh1' },
  ],
  ledgers: [{ ledger: 203, currency: 'CZK', scale: 2 }],
  units: 4,
};

describe('topology', () => {
  it('gives every slot to one unit and every unit its even share', () => {
    for (const units of [1, 2, 3, 4, 7, 64, SLOT_COUNT]) {
      const share = new Array<number>(units + 1).fill(0);
      for (const owner of slotOwners(units)) share[owner]! += 1;
      expect(share[0]).toBe(0);
      const shares = share.slice(1);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      expect(shares.reduce((a, b) => a + b)).toBe(SLOT_COUNT);
    }
  });

  it('spreads leaders over the zones by their weight, and none to a zone of weight 0', () => {
    const leaders = [1, 2, 3, 4].map((unit) => preferredLeader(topology, unit));
    expect(leaders.filter((server) => server === 1)).toHaveLength(2);
    expect(leaders.filter((server) => server === 2)).toHaveLength(2);
    const even = {
      ...topology,
      zones: topology.zones.map((zone) => ({ ...zone, leaderWeight: 1 })),
    };
    const three = [1, 2, 3].map((unit) => preferredLeader(even, unit));
    expect(three.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it('takes the zone in the other city for remote, and none when leaders may be everywhere', () => {
    expect([1, 2, 3].map((server) => isRemote(topology, server))).toEqual([false, false, true]);
    const even = {
      ...topology,
      zones: topology.zones.map((zone) => ({ ...zone, leaderWeight: 1 })),
    };
    expect([1, 2, 3].map((server) => isRemote(even, server))).toEqual([false, false, false]);
  });
});
