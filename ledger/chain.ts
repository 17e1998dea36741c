import { InvariantError } from './invariant.ts';
import { PENDING_ROW_WORDS, PendingRowWord, PendingState } from './layout.ts';
import type { ResultWriter } from './results.ts';
import type { LedgerState } from './state.ts';
import { LINKED_EVENT_FAILED } from './status.ts';
import { WordBuffer } from './words.ts';

const ACCOUNT_WORDS = 32;
/** Handle, then the account as it was. */
const KEPT_WORDS = 1 + ACCOUNT_WORDS;

/**
 * A run of linked events: applied whole, or undone so that nothing of it is left. While it is open
 * every account is kept as it was before each change; all else only ever grows, and is cut back.
 */
export class Chain {
  open = false;
  broken = false;
  readonly #kept = new WordBuffer();
  #accounts = 0;
  #changed = 0;
  #rows = 0;
  #requested = 0;
  #history = 0;
  #pendings = 0;
  #lastRowLo = 0;
  #lastRowHi = 0;
  #timeLo = 0;
  #timeHi = 0;
  #firstResult = 0;
  #digestA = 0;
  #digestB = 0;

  /** Its first event is about to be applied. */
  begin(state: LedgerState, results: ResultWriter): void {
    this.open = true;
    this.broken = false;
    this.#accounts = state.accounts.count;
    this.#changed = state.accounts.changedCount;
    this.#rows = state.ids.rows.end;
    this.#requested = state.requested.end;
    this.#history = state.history.length;
    this.#pendings = state.pendings.length;
    this.#lastRowLo = state.lastRowLo;
    this.#lastRowHi = state.lastRowHi;
    this.#timeLo = state.time.lo;
    this.#timeHi = state.time.hi;
    this.#firstResult = results.count;
    this.#digestA = state.digest.a;
    this.#digestB = state.digest.b;
    this.#kept.truncate(0);
  }

  /** Called before every change of an account. */
  keep(state: LedgerState, handle: number): void {
    if (!this.open) return;
    const at = this.#kept.addRow(KEPT_WORDS);
    const { words } = this.#kept;
    const page = state.accounts.pageOf(handle);
    const row = state.accounts.offsetOf(handle);
    words[at] = handle;
    for (let word = 0; word < ACCOUNT_WORDS; word += 1) words[at + 1 + word] = page[row + word]!;
  }

  /** The event in hand has failed: all before it are undone, and their results say so. */
  break(state: LedgerState, results: ResultWriter): void {
    if (!this.open || this.broken) throw new InvariantError('there is no chain to break');
    this.broken = true;
    this.#undoAccounts(state);
    this.#undoTimeouts(state);
    state.ids.undoRows(this.#rows);
    state.requested.truncate(this.#requested);
    state.history.truncate(this.#history);
    state.pendings.truncate(this.#pendings);
    state.lastRowLo = this.#lastRowLo;
    state.lastRowHi = this.#lastRowHi;
    state.digest.a = this.#digestA;
    state.digest.b = this.#digestB;
    this.#failResults(state, results);
  }

  end(): void {
    this.open = false;
    this.broken = false;
  }

  #undoAccounts(state: LedgerState): void {
    const { words } = this.#kept;
    for (let at = this.#kept.length - KEPT_WORDS; at >= 0; at -= KEPT_WORDS) {
      const handle = words[at]!;
      const page = state.accounts.pageOf(handle);
      const row = state.accounts.offsetOf(handle);
      for (let word = 0; word < ACCOUNT_WORDS; word += 1) page[row + word] = words[at + 1 + word]!;
    }
    // The marks of change are as they were too, so the list of those marked must be.
    state.accounts.removeFrom(this.#accounts, this.#changed);
  }

  #undoTimeouts({ pendings, timeouts }: LedgerState): void {
    const { words } = pendings;
    for (
      let at = pendings.length - PENDING_ROW_WORDS;
      at >= this.#pendings;
      at -= PENDING_ROW_WORDS
    ) {
      const lo = words[at + PendingRowWord.timestamp]!;
      const hi = words[at + PendingRowWord.timestamp + 1]!;
      const deadlineLo = words[at + PendingRowWord.deadline]!;
      const deadlineHi = words[at + PendingRowWord.deadline + 1]!;
      if ((deadlineLo | deadlineHi) === 0) continue;
      if (words[at + PendingRowWord.state] === PendingState.pending) timeouts.remove(lo, hi);
      else timeouts.add(lo, hi, deadlineLo, deadlineHi);
    }
  }

  /** Each failed at its own time. The clock stands at the event that broke the chain, and comes back there. */
  #failResults(state: LedgerState, results: ResultWriter): void {
    const { time, digest } = state;
    const { lo, hi } = time;
    time.set(this.#timeLo, this.#timeHi);
    for (let result = this.#firstResult; result < results.count; result += 1) {
      results.fail(result, LINKED_EVENT_FAILED, time.lo, time.hi);
      digest.event(LINKED_EVENT_FAILED, time.lo, time.hi);
      time.next();
    }
    if (time.lo !== lo || time.hi !== hi)
      throw new InvariantError('a chain lost count of its events');
  }
}
