import { Digest } from './digest.ts';
import type { BooksImage } from './fold.ts';
import { invariant } from './invariant.ts';
import {
  ACCOUNT_ROW_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  SLOT_COUNT,
  TIMEOUT_ROW_WORDS,
  TimeoutRowWord,
} from './layout.ts';
import type { LedgerState } from './state.ts';
import { isZero } from './u128.ts';

/** Fills a new state from the books. Transfers stay there: none is resident at start. */
export function loadState(state: LedgerState, image: BooksImage): void {
  invariant(image.unit === state.unit, 'these are the books of another unit');
  state.digest = Digest.parse(image.digest);
  if (image.slots !== null) {
    invariant(image.slots.length === SLOT_COUNT, 'the books hold a short slot table');
    state.slots = image.slots.slice();
  }
  for (const rows of image.accounts) {
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) state.accounts.load(rows, at);
  }
  state.lastRowLo = Number(image.lastRowTimestamp & 0xffff_ffffn) | 0;
  state.lastRowHi = Number(image.lastRowTimestamp >> 32n);
  for (const rows of image.timeouts) loadTimeouts(state, rows);
  const { channels, ids } = state;
  channels.load(image.channels, image.opened, image.decisions);
  for (let at = 0; at < image.opened.length; at += OPEN_ROW_WORDS) {
    ids.addOpen(image.opened, at + OpenRowWord.record, channels.loadOpen(image.opened, at));
  }
  const hasIds = !isZero(image.maxTransferId, 0);
  if (hasIds || image.transferCount > 0) ids.left.load(image.maxTransferId);
}

function loadTimeouts({ timeouts }: LedgerState, rows: Uint32Array): void {
  for (let at = 0; at < rows.length; at += TIMEOUT_ROW_WORDS) {
    const timestamp = at + TimeoutRowWord.timestamp;
    const deadline = at + TimeoutRowWord.deadline;
    timeouts.add(rows[timestamp]!, rows[timestamp + 1]!, rows[deadline]!, rows[deadline + 1]!);
  }
}
