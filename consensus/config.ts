/** Refuses settings that are unsafe together, before the first message. */
import { invariant } from './invariant.ts';
import { membersOf, whyInvalid } from './membership.ts';
import { type RaftConfig, SERVER_ID_MAX } from './types.ts';

/** Throws an `InvariantError` that names the setting. */
export function checkConfig(config: RaftConfig): void {
  const { self, membership } = config;
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
