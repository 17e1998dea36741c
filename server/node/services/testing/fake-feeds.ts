import { RECORD_WORDS, TRANSFER_ROW_WORDS } from '../../../../ledger/layout.ts';
import { encodeCursor, type FeedPosition } from '../../../core/feed/cursor.ts';
import { EventKind, EventSide, type FeedEvent } from '../../../core/feed/event.ts';
import type { EventFeed, Feeds } from '../watch.ts';

/** One event for each time from 1 to `last`, three at once, in every unit. */
export class FakeFeeds implements Feeds {
  readonly units = 2;
  readonly opened: { unit: number; after: FeedPosition }[] = [];
  /** Time of the newest event. */
  last = 0;
  /** Batches that were asked for. */
  asked = 0;
  /** Some batches hold nothing. */
  gaps = false;
  failure: Error | null = null;

  open(unit: number, after: FeedPosition): EventFeed {
    this.opened.push({ unit, after });
    let time = Number(after.row);
    const hasNews = () => time < this.last;
    return {
      get hasNews() {
        return hasNews();
      },
      next: () => {
        if (this.failure !== null) throw this.failure;
        this.asked += 1;
        if (this.gaps && this.asked % 2 === 0) return [];
        const from = time;
        time = Math.min(time + 3, this.last);
        return Array.from({ length: time - from }, (_, i) => eventAt(unit, from + 1 + i));
      },
    };
  }
}

function eventAt(unit: number, time: number): FeedEvent {
  const timestamp = BigInt(time);
  const transfer = new Uint32Array(TRANSFER_ROW_WORDS);
  transfer[0] = time;
  return {
    kind: EventKind.transfer,
    timestamp,
    cursor: encodeCursor(unit, { account: 0n, row: timestamp }),
    account: null,
    transfer,
    requested: null,
    pending: null,
    side: EventSide.both,
    debitBalances: new Uint32Array(RECORD_WORDS),
    creditBalances: null,
  };
}
