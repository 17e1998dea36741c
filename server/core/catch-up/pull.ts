import { crc32 } from 'node:zlib';
import { decodeMembership } from '../../../consensus/membership.ts';
import type { ServerId, Snapshot } from '../../../consensus/types.ts';
import type { Books } from '../books.ts';
import { type BooksBuild, type BooksState, COPY_ROW_WORDS } from '../books-copy.ts';
import type { LogLine } from '../environment.ts';
import { COPY_AGAIN_MS, COPY_SILENCE_MS_MAX } from '../limits.ts';
import { CopyKind, type CopyMessage } from '../messages.ts';
import { asciiText, decodeState, encodeState } from './state-text.ts';

/** The replica that lags. */
export interface PullUnit {
  readonly unit: number;
  readonly books: Books;
  /** Highest index known to be committed: a state at or below it is of no use. */
  readonly commit: number;
  /** Its core has taken a state that is not in force, or not durable, yet. */
  readonly isInstalling: boolean;
  /** Whether its core would take this state in place of its own. */
  wantsState(message: Snapshot): boolean;
  /** Gives the core the message: it is of no consequence, or its books are installed. */
  step(message: Snapshot): void;
  /** `step` with finished books: from then on they are the unit's to install. */
  install(message: Snapshot, build: BooksBuild): void;
}

export interface PullOptions {
  send(to: ServerId, message: CopyMessage): void;
  nowMs(): number;
  random(): number;
  wake(): void;
  readonly log: LogLine;
}

/**
 * building: a copy of one's own books is made to start from. opening: the leader was asked. copying: chunks
 * come. finishing: all have come and are checked. ready: to be installed once a leader offers a state.
 */
type Phase = 'building' | 'opening' | 'copying' | 'finishing' | 'ready';

interface Pull {
  readonly unit: PullUnit;
  readonly from: ServerId;
  readonly id: number;
  readonly build: BooksBuild;
  readonly withOwn: boolean;
  /** The newest offer of a leader. */
  offer: Snapshot;
  phase: Phase;
  /** What was asked last, to be asked again. */
  asked: CopyMessage | null;
  state: BooksState | null;
  /** Next chunk to come; those below `added` are in the new books. */
  expected: number;
  added: number;
  waiting: CopyMessage[];
  adding: boolean;
  /** How many chunks there are, once known. */
  total: number | null;
  crc: number;
  /** Something came, or was done, last. */
  progressMs: number;
  askedMs: number;
}

const NO_BODY = new Uint8Array(0);

/**
 * Fetches the books of units whose log starts too late at the leader: one at a time for the whole server. The
 * offers of the others come again. The core hears of a state only when its books are whole, checked and durable.
 */
export class CopyPull {
  readonly #options: PullOptions;
  #pull: Pull | null = null;
  /** Units whose own rows turned out not to be the leader's: they are copied from nothing. */
  readonly #fromNothing = new Set<number>();

  constructor(options: PullOptions) {
    this.#options = options;
  }

  /** A leader says that what this replica lacks is only in its books. */
  offered(from: ServerId, unit: PullUnit, offer: Snapshot): void {
    // The core would take a newer one at once, whose books nobody has. If it is still needed it comes again.
    if (unit.isInstalling) return;
    if (!unit.wantsState(offer)) {
      unit.step(offer);
      return;
    }
    const pull = this.#pull;
    if (pull === null) this.#begin(from, unit, offer);
    else if (pull.unit === unit) {
      if (offer.term > pull.offer.term) pull.offer = offer;
      if (pull.phase === 'ready') this.#install(pull);
      else if (pull.from !== from && pull.phase !== 'finishing') {
        this.#abandon(pull, `server ${from} leads now`);
        this.#begin(from, unit, offer);
      }
    }
  }

  receive(from: ServerId, message: CopyMessage): void {
    const pull = this.#pull;
    const mine = pull?.from === from && pull.id === message.session;
    if (pull === null || !mine || pull.unit.unit !== message.unit) return;
    switch (message.kind) {
      case CopyKind.opened:
        this.#opened(pull, message);
        break;
      case CopyKind.chunk:
        this.#chunk(pull, message);
        break;
      case CopyKind.end:
        this.#end(pull, message);
        break;
      case CopyKind.refused:
        if (pull.phase !== 'ready' && pull.phase !== 'finishing') {
          this.#abandon(pull, `server ${from} refuses: ${asciiText(message.body)}`);
        }
        break;
    }
  }

  tick(): void {
    const pull = this.#pull;
    if (pull === null) return;
    const nowMs = this.#options.nowMs();
    // Another leader may have given it the entries meanwhile.
    const late = pull.state !== null && pull.unit.commit >= pull.state.index;
    if (late) this.#abandon(pull, 'its log has come so far by itself');
    else if (nowMs - pull.progressMs > COPY_SILENCE_MS_MAX && isWaiting(pull)) {
      this.#abandon(pull, 'nothing comes any more');
    } else if (nowMs - pull.askedMs > COPY_AGAIN_MS) this.#again(pull);
  }

  /** The process ends, orderly: nothing is built any more. */
  stop(): void {
    this.#pull?.build.abandon();
    this.#pull = null;
  }

  #begin(from: ServerId, unit: PullUnit, offer: Snapshot): void {
    const nowMs = this.#options.nowMs();
    const withOwn = !this.#fromNothing.has(unit.unit);
    const pull: Pull = {
      unit,
      from,
      id: this.#options.random(),
      build: unit.books.build(withOwn ? 'own' : 'nothing'),
      withOwn,
      offer,
      phase: 'building',
      asked: null,
      state: null,
      expected: 0,
      added: 0,
      waiting: [],
      adding: false,
      total: null,
      crc: 0,
      progressMs: nowMs,
      askedMs: nowMs,
    };
    this.#pull = pull;
    this.#options.log('info', `unit ${unit.unit}: copying the books`, { from, index: offer.index });
    pull.build.open((error, own) => {
      if (this.#pull !== pull) return;
      if (error !== null) this.#failed(pull, error);
      else {
        pull.phase = 'opening';
        this.#ask(pull, CopyKind.open, 0, own === null ? NO_BODY : encodeState(own));
      }
      this.#options.wake();
    });
  }

  #opened(pull: Pull, { body }: CopyMessage): void {
    if (pull.phase !== 'opening') return;
    const state = decodeState(body);
    if (state === null || state.unit !== pull.unit.unit || state.index < pull.offer.index) {
      this.#abandon(pull, 'the leader gives another state than it offered');
      return;
    }
    pull.state = state;
    pull.phase = 'copying';
    this.#ask(pull, CopyKind.next, 0, NO_BODY);
  }

  #chunk(pull: Pull, message: CopyMessage): void {
    // Twice, or after a lost one: it comes again.
    if (pull.phase !== 'copying' || message.sequence !== pull.expected) return;
    const { table, body } = message;
    const rowBytes = (COPY_ROW_WORDS[table] ?? 0) * 4;
    const crc = crc32(body, pull.crc);
    if (crc !== message.crc || rowBytes === 0 || body.byteLength % rowBytes !== 0) {
      this.#abandon(pull, `chunk ${message.sequence} is damaged`);
      return;
    }
    pull.crc = crc;
    pull.expected += 1;
    pull.progressMs = this.#options.nowMs();
    pull.waiting.push(message);
    if (!pull.adding) this.#add(pull);
  }

  /** One after the other into the new books; what is added lets the leader send more. */
  #add(pull: Pull): void {
    const message = pull.waiting.shift();
    if (message === undefined) {
      if (pull.added === pull.total) this.#finish(pull);
      return;
    }
    pull.adding = true;
    const { table, body } = message;
    const rows = new Uint32Array(body.buffer, body.byteOffset, body.byteLength / 4);
    pull.build.add({ table, rows: rows.slice() }, (error) => {
      if (this.#pull !== pull) return;
      pull.adding = false;
      if (error !== null) this.#failed(pull, error);
      else {
        pull.added += 1;
        pull.progressMs = this.#options.nowMs();
        this.#ask(pull, CopyKind.next, pull.added, NO_BODY);
        this.#add(pull);
      }
      this.#options.wake();
    });
  }

  #end(pull: Pull, { sequence, crc }: CopyMessage): void {
    if (pull.phase !== 'copying' || sequence !== pull.expected || pull.total !== null) return;
    if (crc !== pull.crc) {
      this.#abandon(pull, 'the chunks are not those that were sent');
      return;
    }
    pull.total = sequence;
    if (!pull.adding && pull.added === pull.total) this.#finish(pull);
  }

  #finish(pull: Pull): void {
    pull.phase = 'finishing';
    pull.asked = null;
    this.#send(pull, CopyKind.close, pull.added, NO_BODY);
    pull.build.finish(pull.state!, (error) => {
      if (this.#pull !== pull) return;
      if (error !== null) this.#failed(pull, error);
      else {
        pull.phase = 'ready';
        pull.progressMs = this.#options.nowMs();
        this.#install(pull);
      }
      this.#options.wake();
    });
  }

  /** Once the core would take it; if its term is another by now, after that leader's next offer. */
  #install(pull: Pull): void {
    const { state, offer, unit, build } = pull;
    const { index, term, membership } = state!;
    const message = {
      ...offer,
      index,
      logTerm: term,
      membership: membership === null ? offer.membership : decodeMembership(membership),
    };
    if (!unit.wantsState(message)) return;
    this.#pull = null;
    this.#fromNothing.delete(unit.unit);
    const { added } = pull;
    this.#options.log('info', `unit ${unit.unit}: installing books`, { index, chunks: added });
    unit.install(message, build);
  }

  #failed(pull: Pull, error: Error): void {
    if (pull.withOwn) this.#fromNothing.add(pull.unit.unit);
    this.#abandon(pull, error.message);
  }

  #abandon(pull: Pull, reason: string): void {
    this.#options.log('warn', `unit ${pull.unit.unit}: the copy is given up: ${reason}`, {
      from: pull.from,
      chunks: pull.added,
    });
    this.#send(pull, CopyKind.close, pull.added, NO_BODY);
    pull.build.abandon();
    this.#pull = null;
  }

  #ask(pull: Pull, kind: number, sequence: number, body: Uint8Array): void {
    pull.asked = this.#send(pull, kind, sequence, body);
    pull.askedMs = this.#options.nowMs();
  }

  #again(pull: Pull): void {
    pull.askedMs = this.#options.nowMs();
    if (pull.phase === 'opening' && pull.asked !== null) {
      this.#options.send(pull.from, pull.asked);
    } else if (pull.phase === 'copying' && pull.total === null && pull.waiting.length === 0) {
      this.#send(pull, CopyKind.again, pull.expected, NO_BODY);
    }
  }

  #send(pull: Pull, kind: number, sequence: number, body: Uint8Array): CopyMessage {
    const { unit, id: session, from } = pull;
    const message = { unit: unit.unit, kind, session, sequence, table: 0, crc: 0, body };
    this.#options.send(from, { type: 'copy', ...message });
    return { type: 'copy', ...message };
  }
}

/** For the leader; what is built here takes as long as it takes. */
function isWaiting(pull: Pull): boolean {
  const idle = pull.waiting.length === 0 && !pull.adding;
  return pull.phase === 'opening' || pull.phase === 'ready' || (pull.phase === 'copying' && idle);
}
