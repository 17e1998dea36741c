/**
 * Settings for tests: the production ones, a seeded generator, and small limits where a test asks
 * for them.
 */
import { votersOnly } from '../membership.ts';
import type { RaftConfig, ServerId } from '../types.ts';

/** A small seeded generator of uint32 (mulberry32); test only. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export function testConfig(
  self: ServerId,
  voters: readonly ServerId[],
  overrides: Partial<RaftConfig> = {},
): RaftConfig {
  return {
    self,
    membership: votersOnly(voters),
    zoneOf: (server) => server,
    heartbeatTicks: 10,
    voteRefusalTicks: 60,
    candidacyTicksMin: 64,
    candidacyTicksMax: 80,
    preVoteRetryTicks: 8,
    maxAppendBytes: 1 << 20,
    maxInflightAppends: 256,
    maxInflightBytes: 64 << 20,
    maxUncommittedBytes: 64 << 20,
    maxCommittedBytesPerOutput: 64 << 20,
    random: seeded(self * 7919),
    ...overrides,
  };
}
