import { CLOSED_ROW_WORDS, type Fold } from '../../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  DECISION_ROW_WORDS,
  HISTORY_ROW_WORDS,
  OPEN_ROW_WORDS,
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  SLOT_COUNT,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../ledger/layout.ts';

/** Timestamps and deadlines end at 2^63; this is the high word of that. */
const TIMESTAMP_HI_END = 0x8000_0000;

/**
 * What any books refuse before they touch a thing: a fold that a sound machine can't have made. The
 * index is tested by the books themselves, where they keep it.
 */
export function assertFold(fold: Fold, unit: number): void {
  check(fold, fold.unit === unit, `is for unit ${fold.unit}, these are the books of unit ${unit}`);
  check(fold, fold.throughIndex > fold.afterIndex, 'does not advance');
  check(fold, /^[0-9a-f]{16}$/.test(fold.digest), `has the digest '${fold.digest}'`);
  check(fold, fold.slots === null || fold.slots.length === SLOT_COUNT, 'has a short slot table');
  const tables: [string, Uint32Array, number][] = [
    ['accounts', fold.accounts, ACCOUNT_ROW_WORDS],
    ['transfers', fold.transfers, TRANSFER_ROW_WORDS],
    ['pendings', fold.pendings, PENDING_ROW_WORDS],
    ['requested', fold.requested, REQUESTED_ROW_WORDS],
    ['history', fold.history, HISTORY_ROW_WORDS],
    ['burnt', fold.burnt, BURNT_ROW_WORDS],
    ['opened', fold.opened, OPEN_ROW_WORDS],
    ['closed', fold.closed, CLOSED_ROW_WORDS],
    ['decisions', fold.decisions, DECISION_ROW_WORDS],
    ['channels', fold.channels, CHANNEL_ROW_WORDS],
  ];
  for (const [name, words, rowWords] of tables) {
    check(fold, words.length % rowWords === 0, `has a broken row in ${name}`);
  }
  assertAscendingHandles(fold);
  assertAscending(fold, 'transfers', TRANSFER_ROW_WORDS, TransferRowWord.rowTimestamp);
  assertAscending(fold, 'requested amounts', REQUESTED_ROW_WORDS, RequestedRowWord.timestamp);
  assertPendings(fold);
}

function assertAscendingHandles(fold: Fold): void {
  let last = -1;
  for (let at = AccountRowWord.handle; at < fold.accounts.length; at += ACCOUNT_ROW_WORDS) {
    const handle = fold.accounts[at]!;
    check(fold, handle > last, 'has accounts out of handle order');
    last = handle;
  }
}

/** Handles count up from 0, so that new accounts take the next ones. */
export function assertDenseHandles(fold: Fold, accountCount: number): void {
  let next = accountCount;
  for (let at = AccountRowWord.handle; at < fold.accounts.length; at += ACCOUNT_ROW_WORDS) {
    const handle = fold.accounts[at]!;
    if (handle < accountCount) continue;
    check(fold, handle === next, `has account ${handle}, where ${next} is the next`);
    next += 1;
  }
}

function assertAscending(
  fold: Fold,
  name: 'transfers' | 'requested amounts',
  rowWords: number,
  word: number,
): void {
  const rows = name === 'transfers' ? fold.transfers : fold.requested;
  let lastLo = 0;
  let lastHi = 0;
  for (let at = word; at < rows.length; at += rowWords) {
    const lo = rows[at]!;
    const hi = rows[at + 1]!;
    check(fold, hi > lastHi || (hi === lastHi && lo > lastLo), `has ${name} out of time order`);
    lastLo = lo;
    lastHi = hi;
  }
  check(fold, lastHi < TIMESTAMP_HI_END, 'has a timestamp past 2^63');
}

/** Each is either pending, or resolved and says by which row. */
function assertPendings(fold: Fold): void {
  const rows = fold.pendings;
  for (let at = 0; at < rows.length; at += PENDING_ROW_WORDS) {
    const state = rows[at + PendingRowWord.state]!;
    check(
      fold,
      state >= PendingState.pending && state <= PendingState.expired,
      `has the pending state ${state}`,
    );
    const resolvedAt = at + PendingRowWord.resolved;
    const resolved = rows[resolvedAt] !== 0 || rows[resolvedAt + 1] !== 0;
    check(
      fold,
      resolved === (state !== PendingState.pending),
      'has a pending transfer half resolved',
    );
    for (const word of [
      PendingRowWord.timestamp,
      PendingRowWord.deadline,
      PendingRowWord.resolved,
    ]) {
      check(fold, rows[at + word + 1]! < TIMESTAMP_HI_END, 'has a timestamp past 2^63');
    }
  }
}

function check(fold: Fold, holds: boolean, text: string): void {
  if (!holds) {
    throw new Error(`the fold of entries ${fold.afterIndex + 1}..${fold.throughIndex} ${text}`);
  }
}

/** Every array of the fold; several may share one buffer. */
export function arraysOf(fold: Fold): (Uint32Array | Uint16Array)[] {
  const { accounts, transfers, pendings, requested, history, burnt, slots } = fold;
  const { opened, closed, decisions, channels } = fold;
  const arrays = [accounts, transfers, pendings, requested, history, burnt];
  return [...arrays, opened, closed, decisions, channels, ...(slots === null ? [] : [slots])];
}

/** Bytes a fold brings, to meter a backlog by. */
export function foldBytes(fold: Fold): number {
  return arraysOf(fold).reduce((bytes, array) => bytes + array.byteLength, 0);
}

export function wrongIndex(fold: Fold, index: number): Error {
  return new Error(
    `the fold of entries ${fold.afterIndex + 1}..${fold.throughIndex} does not follow: ` +
      `the books of unit ${fold.unit} stand at ${index}`,
  );
}
