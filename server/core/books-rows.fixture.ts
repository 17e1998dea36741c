import { CLOSED_ROW_WORDS, type Fold } from '../../ledger/fold.ts';
import {
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
  PENDING_ROW_WORDS,
  PendingRowWord,
  type PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
} from '../../ledger/layout.ts';

export const FIRST_TIMESTAMP = 1_800_000_000_000_000_000n;

/** A fold that changes nothing but the index. */
export function emptyFold(unit: number, afterIndex: number, throughIndex: number): Fold {
  return {
    unit,
    afterIndex,
    throughIndex,
    throughTerm: 1,
    lastTimestamp: FIRST_TIMESTAMP,
    digest: '0123456789abcdef',
    membership: null,
    slots: null,
    accounts: new Uint32Array(0),
    transfers: new Uint32Array(0),
    pendings: new Uint32Array(0),
    requested: new Uint32Array(0),
    history: new Uint32Array(0),
    burnt: new Uint32Array(0),
    opened: new Uint32Array(0),
    closed: new Uint32Array(0),
    decisions: new Uint32Array(0),
    channels: new Uint32Array(0),
  };
}

export function openRow(farUnit: number, sequence: bigint): Uint32Array {
  const row = new Uint32Array(OPEN_ROW_WORDS).fill(0xabcd_0000 + farUnit);
  row[OpenRowWord.farUnit] = farUnit;
  putU64(row, OpenRowWord.sequence, sequence);
  return row;
}

export function closedRow(farUnit: number, sequence: bigint): Uint32Array {
  return openRow(farUnit, sequence).slice(0, CLOSED_ROW_WORDS).fill(0, 1, 2);
}

export function decisionRow(
  homeUnit: number,
  sequence: bigint,
  status = 0xbcde_0000,
  timestamp = 0xbcde_0000n,
): Uint32Array {
  const row = new Uint32Array(DECISION_ROW_WORDS);
  row[DecisionRowWord.homeUnit] = homeUnit;
  row[DecisionRowWord.status] = status;
  putU64(row, DecisionRowWord.sequence, sequence);
  putU64(row, DecisionRowWord.timestamp, timestamp);
  return row;
}

export function channelRow(otherUnit: number, last: bigint, forgotten: bigint): Uint32Array {
  const row = new Uint32Array(CHANNEL_ROW_WORDS);
  row[ChannelRowWord.otherUnit] = otherUnit;
  putU64(row, ChannelRowWord.lastSequence, last);
  putU64(row, ChannelRowWord.forgottenThrough, forgotten);
  return row;
}

export function clearingAccountId(ledger: number, otherUnit: number): Uint32Array {
  return Uint32Array.of((otherUnit << 16) | 1, ledger, 0xffff_ffff, 0xffff_ffff);
}

export function u64(words: Uint32Array, offset: number): bigint {
  return BigInt(words[offset]!) + BigInt(words[offset + 1]!) * 2n ** 32n;
}

export function putU64(words: Uint32Array, offset: number, value: bigint): void {
  words[offset] = Number(value & 0xffff_ffffn);
  words[offset + 1] = Number(value >> 32n);
}

export function pendingRow(
  timestamp: bigint,
  state: PendingState,
  deadline = 0n,
  resolved = 0n,
): Uint32Array {
  const row = new Uint32Array(PENDING_ROW_WORDS);
  putU64(row, PendingRowWord.timestamp, timestamp);
  row[PendingRowWord.state] = state;
  putU64(row, PendingRowWord.deadline, deadline);
  putU64(row, PendingRowWord.resolved, resolved);
  return row;
}

export function requestedRow(timestamp: bigint, amount: ArrayLike<number>): Uint32Array {
  const row = new Uint32Array(REQUESTED_ROW_WORDS);
  putU64(row, RequestedRowWord.timestamp, timestamp);
  row.set(amount, RequestedRowWord.amount);
  return row;
}
