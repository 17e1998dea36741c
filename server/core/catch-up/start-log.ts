import { decodeMembership } from '../../../consensus/membership.ts';
import type { BooksImage } from '../../../ledger/fold.ts';
import { EvenkeelError } from '../error.ts';
import type { Log } from '../log/log.ts';

/**
 * Books that were copied from another replica are in force before the log is: a crash in between leaves an old
 * log under them. It goes on from the books then.
 */
export function startLog(log: Log, { unit, index, term, membership }: BooksImage): void {
  if (log.wasEmpty && index > 0) {
    throw new EvenkeelError(
      'log_lost',
      `log_lost: the books of unit ${unit} end at entry ${index}, but there is no log: what this server had promised ` +
        'is gone with it; remove this server and add it under a new id, with an empty data folder',
    );
  }
  const stored = log.unit(unit);
  if (index < stored.firstIndex() - 1) {
    throw new EvenkeelError(
      'books_behind',
      `books_behind: the books of unit ${unit} end at entry ${index}, the log begins after ` +
        `${stored.firstIndex() - 1}: one of the two was put back from an older copy; ` +
        'remove this server and add it again with an empty data folder',
    );
  }
  if (index <= stored.lastIndex() && stored.term(index) === term) return;
  if (membership === null) throw new Error(`unit ${unit}: the books don't say who replicates it`);
  log.reset(unit, { index, term, membership: decodeMembership(membership) });
}
