import { describe, expect, it } from 'vitest';
import { Raft } from './raft.ts';
import { testConfig } from './testing/config.ts';
import { ArrayLog } from './testing/node.ts';

function start(overrides: object): () => Raft {
  const hard = { term: 0, vote: 0, commit: 0 };
  return () => new Raft(testConfig(1, [1, 2, 3], overrides), new ArrayLog(), hard, 0);
}

describe('settings', () => {
  it.each([
    ['C91 C92', 'leaseReads', true],
    ['C91 C92', 'leaseTicks', 50],
    ['C93', 'leaseAbstentionTicks', 60],
    ['C94', 'maxLeasePauseTicks', 60],
  ])('C91 C92 C93 C94 that ask for leases are refused by name: %s %s', (_, name, value) => {
    expect(start({ [name]: value })).toThrow(`${name}: there are no leases: `);
    expect(start({})).not.toThrow();
  });
});
