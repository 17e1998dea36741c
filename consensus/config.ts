/** Refuses settings that are unsafe together, before the first message. */
import { invariant } from './invariant.ts';
import { membersOf, whyInvalid } from './membership.ts';
import { type RaftConfig, SERVER_ID_MAX } from './types.ts';

/**
 * Why a setting of this name is refused; null if it has to do with anything else. Other cores can answer reads on a
 * lease; who asks for that must not believe to have it (C91-C94).
 */
export function whyNoLease(name: string): string | null {
  if (!/lease/i.test(name)) return null;
  return 'there are no leases: they trust clocks, and fail when a process stands still; a majority confirms every read';
}

/** Throws an `InvariantError` that names the setting. */
export function checkConfig(config: RaftConfig): void {
  const { self, membership } = config;
  for (const name of Object.keys(config)) {
    const why = whyNoLease(name);
    invariant(why === null, `${name}: ${why}`);
  }
  invariant(
    Number.isInteger(self) && self >= 1 && self <= SERVER_ID_MAX,
    `self ${self} is not in 1..${SERVER_ID_MAX}`,
  );
  const invalid = membersOf(membership).length === 0 ? null : whyInvalid(membership);
  invariant(invalid === null, `membership: ${invalid}`);
  for (const name of POSITIVE) {
    const value = config[name];
    invariant(
      Number.isSafeInteger(value) && value >= 1,
      `${name} is not a positive integer: ${value}`,
    );
  }
  // Two heartbeats must fit, or one lost message would cost the leadership.
  invariant(
    config.heartbeatTicks * 2 <= config.voteRefusalTicks,
    'heartbeatTicks is over half of voteRefusalTicks',
  );
  // Who campaigns must find the others' refusal expired.
  invariant(
    config.voteRefusalTicks < config.candidacyTicksMin,
    'candidacyTicksMin is not above voteRefusalTicks',
  );
  invariant(
    config.candidacyTicksMin <= config.candidacyTicksMax,
    'candidacyTicksMin is above candidacyTicksMax',
  );
  invariant(
    config.preVoteRetryTicks <= config.candidacyTicksMin,
    'preVoteRetryTicks is above candidacyTicksMin',
  );
  // Else a full append could never leave.
  invariant(
    config.maxAppendBytes <= config.maxInflightBytes,
    'maxAppendBytes is above maxInflightBytes',
  );
}

const POSITIVE = [
  'heartbeatTicks',
  'voteRefusalTicks',
  'candidacyTicksMin',
  'candidacyTicksMax',
  'preVoteRetryTicks',
  'maxAppendBytes',
  'maxInflightAppends',
  'maxInflightBytes',
  'maxUncommittedBytes',
  'maxCommittedBytesPerOutput',
] as const;
