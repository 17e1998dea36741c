import type { ServerWritableStream } from '@grpc/grpc-js';
import { encodeEvents } from '../../core/codec/events.ts';
import { decodeWatch } from '../../core/codec/read-requests.ts';
import { EvenkeelError } from '../../core/error.ts';
import { decodeCursor, type FeedPosition } from '../../core/feed/cursor.ts';
import type { FeedEvent } from '../../core/feed/event.ts';
import { WATCH_LOOK_MS, WATCH_STREAMS_MAX } from './limits.ts';
import { type Report, toReportedStatus } from './unary.ts';

type Call = ServerWritableStream<Buffer, Buffer>;

/** A feed as streams use it; core/feed/feed.ts is one. */
export interface EventFeed {
  readonly hasNews: boolean;
  next(): readonly FeedEvent[];
}

export interface Feeds {
  /** Units are numbered from 1. */
  readonly units: number;
  open(unit: number, after: FeedPosition): EventFeed;
}

/** All WatchEvents streams of this server. Those that have caught up are looked after by one timer. */
export class WatchStreams {
  readonly #feeds: Feeds;
  readonly #report: Report;
  readonly #streams = new Set<WatchStream>();
  #timer: NodeJS.Timeout | null = null;

  constructor(feeds: Feeds, report: Report) {
    this.#feeds = feeds;
    this.#report = report;
  }

  /** Takes a call, or refuses it. */
  readonly open = (call: Call): void => {
    try {
      const stream = new WatchStream(call, this.#openFeed(call.request), {
        onEnd: () => this.#ended(stream),
        report: this.#report,
      });
      this.#streams.add(stream);
      this.#timer ??= setInterval(() => this.#lookAll(), WATCH_LOOK_MS);
      stream.look();
    } catch (error) {
      call.emit('error', toReportedStatus(error, this.#report));
    }
  };

  get count(): number {
    return this.#streams.size;
  }

  #openFeed(request: Buffer): EventFeed {
    const { unit, afterTimestamp, cursor } = decodeWatch(request);
    const { units } = this.#feeds;
    if (unit > units) {
      throw new EvenkeelError('invalid_request', `unit: ${unit}, there are ${units}`);
    }
    const after =
      cursor.length === 0
        ? { account: afterTimestamp, row: afterTimestamp }
        : decodeCursor(unit, cursor);
    if (this.#streams.size >= WATCH_STREAMS_MAX) {
      throw new EvenkeelError(
        'overloaded',
        `this server has ${WATCH_STREAMS_MAX} event streams open, as many as it may; ask another one`,
      );
    }
    return this.#feeds.open(unit, after);
  }

  #lookAll(): void {
    for (const stream of this.#streams) stream.look();
  }

  #ended(stream: WatchStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

interface StreamDeps {
  onEnd(): void;
  readonly report: Report;
}

/**
 * One stream: a message of events at a time, and the next only once that one has left. A reader that lags
 * so slows down its own stream alone, and at most one message of it waits here.
 */
class WatchStream {
  readonly #call: Call;
  readonly #feed: EventFeed;
  readonly #deps: StreamDeps;
  /** What it waits for: news, its turn, or its last message to leave. */
  #state: 'idle' | 'scheduled' | 'sending' | 'ended' = 'idle';

  constructor(call: Call, feed: EventFeed, deps: StreamDeps) {
    this.#call = call;
    this.#feed = feed;
    this.#deps = deps;
    call.on('cancelled', () => this.#end());
    call.on('error', () => this.#end());
    call.on('close', () => this.#end());
  }

  /** Goes on if it is idle and there is news. */
  look(): void {
    if (this.#state !== 'idle' || !this.#feed.hasNews) return;
    this.#state = 'scheduled';
    // In a turn of its own: streams that catch up take turns with all else.
    setImmediate(() => this.#send());
  }

  #send(): void {
    if (this.#state !== 'scheduled') return;
    try {
      const events = this.#feed.next();
      if (events.length === 0) {
        this.#sent();
        return;
      }
      this.#state = 'sending';
      this.#call.write(encodeEvents(events), () => this.#sent());
    } catch (error) {
      this.#end();
      this.#call.emit('error', toReportedStatus(error, this.#deps.report));
    }
  }

  #sent(): void {
    if (this.#state === 'ended') return;
    this.#state = 'idle';
    this.look();
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#deps.onEnd();
  }
}
