import { describe, expect, it } from 'vitest';
import type { Group } from './group.ts';
import { SUCCESSION_REMOTE_MS, SUCCESSION_STEP_MS } from './limits.ts';
import { Succession } from './succession.ts';
import type { Topology } from './topology.ts';

const TOPOLOGY: Topology = {
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
  ledgers: [],
  units: 2,
};
/** By preferredLeader: unit 1 lives at server 2, unit 2 at server 1. */
const UNIT = 1;

/** When a server campaigns after another's death, in ms; null = never. */
function campaignsAfterMs(
  self: number,
  down: readonly number[],
  leaderAt: (ms: number) => number = () => 0,
): number | null {
  let campaignedMs: number | null = null;
  const leader = { id: down.at(-1)! };
  const group = {
    unit: UNIT,
    get leader() {
      return leader.id;
    },
  } as unknown as Group;
  const succession = new Succession();
  for (const id of down) succession.serverDown(0, self, id, TOPOLOGY, [group]);
  for (let nowMs = 0; nowMs < 1_000; nowMs += 5) {
    leader.id = leaderAt(nowMs);
    if (succession.due(nowMs).length > 0) campaignedMs ??= nowMs;
  }
  return campaignedMs;
}

describe('the death of a leader', () => {
  it('makes the other server of the city campaign at once, the remote one later', () => {
    expect(campaignsAfterMs(1, [2])).toBe(0);
    expect(campaignsAfterMs(3, [2])).toBe(SUCCESSION_REMOTE_MS);
  });

  it('makes the unit’s own server campaign first where both of the city live', () => {
    expect(campaignsAfterMs(2, [3])).toBe(0);
    expect(campaignsAfterMs(1, [3])).toBe(SUCCESSION_STEP_MS);
  });

  it('lets nobody wait for a server that is dead too', () => {
    expect(campaignsAfterMs(1, [2, 3])).toBe(0);
  });

  it('starts no campaign where another has won meanwhile', () => {
    expect(campaignsAfterMs(3, [2], (ms) => (ms < 50 ? 0 : 1))).toBeNull();
  });

  it('concerns only the units that it led', () => {
    const other = { unit: UNIT, leader: 1 } as unknown as Group;
    const succession = new Succession();
    succession.serverDown(0, 3, 2, TOPOLOGY, [other]);
    expect(succession.due(1_000)).toEqual([]);
  });
});
