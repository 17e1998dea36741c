import type { Link } from './emulation.ts';

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
  readonly pushedMs: number;
  /** Not to leave before, nor before the items ahead of it. */
  readonly dueMs: number;
}

export interface LinkQueueOptions {
  /** Beyond it the oldest are dropped. An item that alone is larger stays until the next one comes. */
  readonly bytesMax: number;
  /** Evenly in [0, 1). */
  readonly random: () => number;
}

/**
 * What waits to leave for one peer on one lane: first in, first out, bounded, and held back as the emulated link
 * asks. It knows no clock: `nowMs` of all calls is one that never goes back.
 */
export class LinkQueue<T> {
  readonly #options: LinkQueueOptions;
  #items: Waiting<T>[] = [];
  /** Items before it are gone; the array is cut when they are the larger part. */
  #head = 0;
  #bytes = 0;
  /** When the link has carried everything pushed so far, if its bandwidth is bounded. */
  #freeMs = 0;
  #dropped = 0;
  #vanished = 0;

  constructor(options: LinkQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Items lost to the bound or to age. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Items lost to a cut link. */
  get vanished(): number {
    return this.#vanished;
  }

  push(item: T, bytes: number, nowMs: number, link: Link): void {
    if (link.cut) {
      this.#vanished += 1;
      return;
    }
    let sentMs = nowMs;
    if (link.bandwidthBytesPerSecond > 0) {
      sentMs = Math.max(nowMs, this.#freeMs) + (bytes / link.bandwidthBytesPerSecond) * 1e3;
      this.#freeMs = sentMs;
    }
    const jitterMs = link.jitterMs > 0 ? link.jitterMs * this.#options.random() : 0;
    const dueMs = sentMs + link.delayMs + jitterMs;
    this.#items.push({ item, bytes, pushedMs: nowMs, dueMs });
    this.#bytes += bytes;
    while (this.#bytes > this.#options.bytesMax && this.size > 1) {
      this.#shift();
      this.#dropped += 1;
    }
  }

  /** When the next item may leave; null if none waits or the link holds all back. */
  nextDueMs(link: Link): number | null {
    if (this.size === 0 || link.blackHole) return null;
    return this.#items[this.#head]!.dueMs;
  }

  /** Takes what is due, in order, up to `bytesMax` of it; a larger item is taken alone. */
  take(nowMs: number, link: Link, bytesMax: number): T[] {
    const taken: T[] = [];
    if (link.cut) {
      this.#vanished += this.size;
      this.clear();
      return taken;
    }
    if (link.blackHole) return taken;
    let bytes = 0;
    while (this.size > 0) {
      const next = this.#items[this.#head]!;
      if (next.dueMs > nowMs) break;
      if (taken.length > 0 && bytes + next.bytes > bytesMax) break;
      bytes += next.bytes;
      taken.push(next.item);
      this.#shift();
    }
    return taken;
  }

  /** Drops what was pushed before `timeMs`. */
  dropBefore(timeMs: number): void {
    while (this.size > 0 && this.#items[this.#head]!.pushedMs < timeMs) {
      this.#shift();
      this.#dropped += 1;
    }
  }

  /** The link has changed: what waits goes by its new delay if that is shorter, still in order. */
  relink(nowMs: number, link: Link): void {
    const latestMs = nowMs + link.delayMs + link.jitterMs;
    this.#items = this.#items
      .slice(this.#head)
      .map((waiting) => ({ ...waiting, dueMs: Math.min(waiting.dueMs, latestMs) }));
    this.#head = 0;
    this.#freeMs = 0;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #shift(): void {
    this.#bytes -= this.#items[this.#head]!.bytes;
    this.#head += 1;
    if (this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
