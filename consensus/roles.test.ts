import { describe, expect, it } from 'vitest';
import { createCore } from './core.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import { Cluster } from './testing/cluster.ts';
import { seeded, testConfig } from './testing/config.ts';
import { ArrayLog } from './testing/node.ts';
import type { Role } from './types.ts';

const CHANGES = {
  preCandidate: becomePreCandidate,
  candidate: becomeCandidate,
  leader: becomeLeader,
};

describe('roles', () => {
  it.each<[Role, keyof typeof CHANGES, boolean]>([
    ['follower', 'preCandidate', true],
    ['follower', 'candidate', true],
    ['follower', 'leader', false],
    ['preCandidate', 'candidate', true],
    ['preCandidate', 'leader', false],
    ['candidate', 'preCandidate', true],
    ['candidate', 'leader', true],
    ['leader', 'preCandidate', false],
    ['leader', 'candidate', false],
    ['leader', 'leader', false],
  ])('C9 from %s to %s: %s', (from, to, legal) => {
    const hard = { term: 1, vote: 0, commit: 0 };
    const core = createCore(testConfig(1, [1, 2, 3]), new ArrayLog(), hard, 0, false);
    if (from === 'leader') becomeCandidate(core);
    if (from !== 'follower') CHANGES[from](core);
    expect(core.role).toBe(from);
    const change = () => CHANGES[to](core);
    if (legal) expect(change).not.toThrow();
    else expect(change).toThrow(/never becomes|only a candidate/);
    expect(core.role).toBe(legal ? to : from);
  });

  it('C9 a term never falls', () => {
    const hard = { term: 5, vote: 0, commit: 0 };
    const core = createCore(testConfig(1, [1, 2, 3]), new ArrayLog(), hard, 0, false);
    expect(() => becomeFollower(core, 4, 0)).toThrow('a term never falls');
  });

  // Each draws one of 17 values: the first of four survivors shares its tick in one case of nine.
  it.each([3, 5])('C6 of %d servers without a leader two seldom stand up in one tick', (size) => {
    const ids = Array.from({ length: size - 1 }, (_, i) => i + 2);
    let conflicts = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const c = new Cluster({ size, config: (id) => ({ random: seeded(seed * 31 + id) }) });
      c.elect(1);
      c.crash(1);
      const up = () => ids.filter((id) => c.status(id).role !== 'follower').length;
      // Nothing is delivered: who is first is all that counts.
      while (up() === 0) for (const id of ids) c.node(id).raft.tick();
      if (up() > 1) conflicts++;
    }
    expect(conflicts).toBeGreaterThan(0);
    expect(conflicts / 200).toBeLessThan(0.3);
  });
});
