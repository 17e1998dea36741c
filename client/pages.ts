import { ClientError } from './error.ts';
import type { Page, PageOptions } from './read-types.ts';

/** Rows of a page when a caller wants all: small enough to come soon, large enough to be worth the asking. */
const PAGE_ROWS = 1_000;

/** All rows of a read that pages, or the first `limit`. The next page is asked for when it is needed. */
export async function* allRows<Row>(
  limit: number | undefined,
  ask: (options: PageOptions) => Promise<Page<Row>>,
): AsyncGenerator<Row, void, undefined> {
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new ClientError('invalid_argument', `limit: ${limit}, must be a whole number from 1 on`);
  }
  let left = limit ?? Infinity;
  let pageToken: Uint8Array | null = null;
  do {
    const options: PageOptions = { limit: Math.min(left, PAGE_ROWS) };
    const page: Page<Row> = await ask(pageToken === null ? options : { ...options, pageToken });
    yield* page.rows;
    left -= page.rows.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== null && left > 0);
}
