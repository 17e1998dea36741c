import {
  AccountWord,
  BALANCES_WORDS,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { READ_UNIT_ROWS_MIN } from '../limits.ts';
import { RequestKind } from '../messages.ts';
import { boundsOf, FilterBit, FilterWord, has } from '../reads/filter.ts';
import { mergePages, type Part } from '../reads/merge.ts';
import { PAGE_HEADER_WORDS, unpackPage } from '../reads/page.ts';
import { concat, putU64 } from '../reads/row.ts';
import { type Cursor, decodeToken, encodeToken } from '../reads/token.ts';
import type { SentRequest } from '../router.ts';
import type { PageDone, RequestHandle } from './api.ts';
import type { GatewayContext } from './context.ts';

export interface PageRequest {
  /** As packed for the first page. */
  readonly filter: Uint32Array;
  readonly token: Uint8Array;
}

const NO_TOKEN = new Uint8Array(0);

/** A page of an account's transfers, asked of the unit that owns the account. */
export class AccountPage implements RequestHandle {
  readonly #sent: SentRequest | null;

  /** Throws EvenkeelError if the token doesn't fit. */
  constructor(context: GatewayContext, { filter, token }: PageRequest, done: PageDone) {
    const kind = RequestKind.accountTransfers;
    const unit = context.unitOf(filter, FilterWord.accountId);
    const cursor = decodeToken(token, kind, filter, [unit])[0]!;
    const asked = unitFilter(filter, cursor, filter[FilterWord.limit]!);
    const rowWords = TRANSFER_ROW_WORDS + (has(filter, FilterBit.balances) ? BALANCES_WORDS : 0);
    this.#sent = context.router.request(unit, kind, asked, (_outcome, words) => {
      if (words.length === 0) {
        done(null, words, NO_TOKEN);
        return;
      }
      const page = unpackPage(words, RECORD_WORDS, rowWords);
      const { cursors } = mergePages([{ cursor, page }], mergeOptions(filter, kind));
      done(
        null,
        words.subarray(PAGE_HEADER_WORDS),
        cursors === null ? NO_TOKEN : encodeToken(kind, filter, cursors),
      );
    });
  }

  cancel(): void {
    this.#sent?.cancel();
  }
}

/** A page of the accounts or transfers of all units. All must answer. */
export class QueryPage implements RequestHandle {
  readonly #sent: SentRequest[] = [];

  /** Throws EvenkeelError if the token doesn't fit. */
  constructor(
    context: GatewayContext,
    what: 'accounts' | 'transfers',
    { filter, token }: PageRequest,
    done: PageDone,
  ) {
    const kind = what === 'accounts' ? RequestKind.queryAccounts : RequestKind.queryTransfers;
    const rowWords = what === 'accounts' ? RECORD_WORDS : TRANSFER_ROW_WORDS;
    const cursors = decodeToken(token, kind, filter, context.units());
    const limit = unitLimit(filter[FilterWord.limit]!, cursors.length);
    const parts: Part[] = cursors.map((cursor) => ({
      cursor,
      page: { more: false, position: 0n, rows: [] },
    }));
    let waiting = 0;
    const finish = () => {
      const merged = mergePages(parts, mergeOptions(filter, kind));
      const next = merged.cursors;
      done(null, concat(merged.rows), next === null ? NO_TOKEN : encodeToken(kind, filter, next));
    };
    cursors.forEach((cursor, i) => {
      if (isPast(filter, cursor)) return;
      waiting += 1;
      const asked = unitFilter(filter, cursor, limit);
      const answered = (_outcome: number, words: Uint32Array) => {
        parts[i] = { cursor, page: unpackPage(words, 0, rowWords) };
        waiting -= 1;
        if (waiting === 0) finish();
      };
      this.#sent.push(context.router.request(cursor.unit, kind, asked, answered));
    });
    if (waiting === 0) context.later(0, finish);
  }

  cancel(): void {
    for (const sent of this.#sent) sent.cancel();
  }
}

/** So many rows of each unit that the page is mostly full, however many units there are. */
function unitLimit(limit: number, units: number): number {
  return Math.min(limit, Math.max(READ_UNIT_ROWS_MIN, Math.ceil((2 * limit) / units)));
}

/** Nothing of the unit can be left: its part of the range is over. */
function isPast(filter: Uint32Array, { position, ended }: Cursor): boolean {
  if (ended || position === 0n) return ended;
  const { from, to } = boundsOf(filter);
  return has(filter, FilterBit.reversed) ? position <= from : position >= to;
}

function unitFilter(filter: Uint32Array, { position }: Cursor, limit: number): Uint32Array {
  const asked = filter.slice();
  asked[FilterWord.limit] = limit;
  if (position === 0n) return asked;
  const { from, to } = boundsOf(filter);
  if (has(filter, FilterBit.reversed)) {
    if (position <= to) putU64(asked, FilterWord.to, position - 1n);
  } else if (position >= from) putU64(asked, FilterWord.from, position + 1n);
  return asked;
}

function mergeOptions(filter: Uint32Array, kind: number) {
  const word =
    kind === RequestKind.queryAccounts ? AccountWord.timestamp : TransferRowWord.rowTimestamp;
  return {
    reversed: has(filter, FilterBit.reversed),
    limit: filter[FilterWord.limit]!,
    timestampOf: (row: Uint32Array) => u64At(row, word),
  };
}
