import { crc32 } from 'node:zlib';
import type { ServerId } from '../../../consensus/types.ts';
import type { Books } from '../books.ts';
import type { BooksChunk, BooksReading, BooksState } from '../books-copy.ts';
import type { LogLine } from '../environment.ts';
import {
  COPY_PIN_MS,
  COPY_SESSION_MS_MAX,
  COPY_SILENCE_MS_MAX,
  COPY_WINDOW_CHUNKS,
} from '../limits.ts';
import { CopyKind, type CopyMessage } from '../messages.ts';
import { asciiBytes, decodeState, encodeState } from './state-text.ts';

/** What can be copied. */
export interface SourceUnit {
  readonly books: Books;
  /** Its leader alone is asked: it keeps its log for whoever copies. */
  readonly leads: boolean;
}

export interface SourceOptions {
  unit(unit: number): SourceUnit | undefined;
  send(to: ServerId, message: CopyMessage): void;
  nowMs(): number;
  /** There is something new to send. */
  wake(): void;
  readonly log: LogLine;
}

interface Session {
  readonly unit: number;
  readonly to: ServerId;
  readonly id: number;
  readonly reading: BooksReading;
  readonly startMs: number;
  heardMs: number;
  opened: { readonly index: number; readonly message: CopyMessage } | null;
  /** A chunk is being read. */
  busy: boolean;
  /** Chunks sent and not known to have arrived, the first of them number `first`; the end too. */
  sent: CopyMessage[];
  first: number;
  /** Of all chunks read so far. */
  crc: number;
  ended: boolean;
}

const NO_BODY = new Uint8Array(0);

/**
 * Gives a unit's books to a replica that lags too far for the log: one copy at a time for the whole server, a
 * window of chunks at a time, so that everything else goes on.
 */
export class CopySource {
  readonly #options: SourceOptions;
  #session: Session | null = null;
  /** Units whose log must be kept from an index on: who has just copied goes on from there. */
  readonly #pins = new Map<number, { readonly index: number; readonly untilMs: number }>();

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** The log must keep all that follows this index; null: nothing is kept for a copy. */
  pinnedAt(unit: number): number | null {
    const session = this.#session;
    const copied = session?.unit === unit ? session.opened?.index : undefined;
    const pin = this.#pins.get(unit);
    const kept = pin !== undefined && pin.untilMs > this.#options.nowMs() ? pin.index : undefined;
    if (copied === undefined) return kept ?? null;
    return Math.min(copied, kept ?? copied);
  }

  receive(from: ServerId, message: CopyMessage): void {
    const { kind, unit, session: id, sequence } = message;
    if (kind === CopyKind.open) {
      this.#open(from, message);
      return;
    }
    const session = this.#session;
    if (session === null || session.to !== from || session.id !== id || session.unit !== unit) {
      if (kind !== CopyKind.close) this.#refuse(from, message, 'there is no such copy any more');
      return;
    }
    session.heardMs = this.#options.nowMs();
    if (kind === CopyKind.close) this.#close(session);
    else if (kind === CopyKind.next || kind === CopyKind.again) {
      this.#arrived(session, sequence);
      if (kind === CopyKind.again) for (const sent of session.sent) this.#options.send(from, sent);
      this.#read(session);
    }
  }

  /** Gives up a copy that nobody asks for any more, or whose unit this server no longer leads. */
  tick(): void {
    const session = this.#session;
    if (session === null) return;
    const nowMs = this.#options.nowMs();
    const silent = nowMs - session.heardMs > COPY_SILENCE_MS_MAX;
    const long = nowMs - session.startMs > COPY_SESSION_MS_MAX;
    if (silent || long) this.#close(session);
    else if (this.#options.unit(session.unit)?.leads !== true) {
      this.#options.send(session.to, refusalOf(session, 'its leader is another now'));
      this.#close(session);
    }
  }

  /** The process ends. */
  stop(): void {
    this.#session?.reading.close();
    this.#session = null;
  }

  #open(from: ServerId, message: CopyMessage): void {
    const { unit, session: id, body } = message;
    const source = this.#options.unit(unit);
    const current = this.#session;
    if (current !== null && current.to === from && current.id === id) {
      if (current.opened !== null) this.#options.send(from, current.opened.message);
      return;
    }
    const have = body.byteLength === 0 ? null : decodeState(body);
    if (source?.leads !== true) this.#refuse(from, message, 'this server does not lead the unit');
    else if (body.byteLength > 0 && have === null) {
      this.#refuse(from, message, 'the state to copy from is none');
    } else if (current !== null && current.to !== from) {
      this.#refuse(from, message, 'another copy is under way');
    } else {
      if (current !== null) this.#close(current);
      this.#begin(source, from, message, have);
    }
  }

  #begin(source: SourceUnit, to: ServerId, asked: CopyMessage, have: BooksState | null): void {
    const nowMs = this.#options.nowMs();
    const session: Session = {
      unit: asked.unit,
      to,
      id: asked.session,
      reading: source.books.copy(have),
      startMs: nowMs,
      heardMs: nowMs,
      opened: null,
      busy: false,
      sent: [],
      first: 0,
      crc: 0,
      ended: false,
    };
    this.#session = session;
    session.reading.open((error, state) => {
      if (this.#session !== session) return;
      if (error !== null || state === null) this.#fail(session, error);
      else {
        const message = messageOf(session, { kind: CopyKind.opened, body: encodeState(state) });
        session.opened = { index: state.index, message };
        this.#options.send(to, message);
      }
      this.#options.wake();
    });
    this.#options.log('info', `unit ${asked.unit}: its books are copied`, {
      to,
      from: have?.index ?? 0,
    });
  }

  /** Chunks below `sequence` have arrived. */
  #arrived(session: Session, sequence: number): void {
    const count = Math.min(sequence - session.first, session.sent.length);
    if (count <= 0) return;
    session.sent.splice(0, count);
    session.first += count;
  }

  #read(session: Session): void {
    const full = session.sent.length >= COPY_WINDOW_CHUNKS;
    if (session.busy || session.ended || full || session.opened === null) return;
    session.busy = true;
    session.reading.next((error, chunk) => {
      if (this.#session !== session) return;
      session.busy = false;
      if (error !== null) this.#fail(session, error);
      else {
        this.#send(session, chunk);
        this.#read(session);
      }
      this.#options.wake();
    });
  }

  #send(session: Session, chunk: BooksChunk | null): void {
    const sequence = session.first + session.sent.length;
    let message: CopyMessage;
    if (chunk === null) {
      session.ended = true;
      message = messageOf(session, { kind: CopyKind.end, sequence, crc: session.crc });
    } else {
      const { table, rows } = chunk;
      const body = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      session.crc = crc32(body, session.crc);
      message = messageOf(session, {
        kind: CopyKind.chunk,
        sequence,
        table,
        crc: session.crc,
        body,
      });
    }
    session.sent.push(message);
    this.#options.send(session.to, message);
  }

  #fail(session: Session, error: Error | null): void {
    const { unit, to } = session;
    const reason = error?.message ?? 'no books';
    this.#options.log('error', `unit ${unit}: its books can't be copied: ${reason}`, { to });
    this.#options.send(to, refusalOf(session, reason));
    this.#close(session);
  }

  #close(session: Session): void {
    session.reading.close();
    this.#session = null;
    if (session.opened === null) return;
    const untilMs = this.#options.nowMs() + COPY_PIN_MS;
    this.#pins.set(session.unit, { index: session.opened.index, untilMs });
  }

  #refuse(to: ServerId, { unit, session }: CopyMessage, reason: string): void {
    this.#options.send(to, refusalOf({ unit, id: session }, reason));
  }
}

type Named = Pick<Session, 'unit' | 'id'>;

function messageOf({ unit, id }: Named, parts: Partial<CopyMessage>): CopyMessage {
  const nothing = { kind: 0, sequence: 0, table: 0, crc: 0, body: NO_BODY };
  return { type: 'copy', unit, session: id, ...nothing, ...parts };
}

function refusalOf(session: Named, reason: string): CopyMessage {
  return messageOf(session, { kind: CopyKind.refused, body: asciiBytes(reason) });
}

/** Of the messages of a copy, those to the source of the books. */
export function isForSource(kind: number): boolean {
  return (
    kind === CopyKind.open ||
    kind === CopyKind.next ||
    kind === CopyKind.again ||
    kind === CopyKind.close
  );
}
