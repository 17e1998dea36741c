import { describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';

describe('cluster smoke', () => {
  it('elects and replicates', () => {
    const c = new Cluster();
    c.elect(1);
    expect(c.leader()).toBe(1);
    c.propose(1, 'a');
    c.propose(1, 'b');
    c.settle();
    c.tick(20);
    for (const id of [1, 2, 3]) expect(c.applied(id)).toEqual(['1:', '1:a', '1:b']);
    c.crash(1);
    c.tick(100);
    expect([2, 3]).toContain(c.leader());
    c.restart(1);
    c.propose(c.leader(), 'c');
    c.tick(20);
    for (const id of [1, 2, 3]) expect(c.applied(id).at(-1)).toBe('2:c');
  });
});
