import { CLOSED_ROW_WORDS } from './fold.ts';
import { invariant } from './invariant.ts';
import {
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
} from './layout.ts';
import { OpenPool } from './open-pool.ts';
import { SequenceWindow } from './sequence-window.ts';
import { readSafeU64, WordBuffer, writeSafeU64 } from './words.ts';

/** A decision's words in its window. */
export const DecidedWord = { status: 0, timestamp: 1 } as const;
const DECIDED_WORDS = 3;

/** This unit's end of a channel to one other unit, in both of its roles. */
export interface Channel {
  readonly otherUnit: number;
  /** As home: the last sequence given out, and place + 1 in the pool of each open crossing. */
  lastSequence: number;
  readonly open: SequenceWindow;
  /** As far: decisions up to here are forgotten; those after it. */
  forgottenThrough: number;
  readonly decided: SequenceWindow;
  changed: boolean;
  /** The last sequence opened when the changes were taken last. */
  takenThrough: number;
}

/** What was opened, closed and decided since the changes were taken last. */
export interface CrossingChanges {
  readonly opened: Uint32Array;
  readonly closed: Uint32Array;
  readonly decisions: Uint32Array;
  readonly channels: Uint32Array;
}

/** Open crossings, decisions and channels of a unit. */
export class Channels {
  readonly pool = new OpenPool();
  readonly #byUnit = new Map<number, Channel>();
  /** Ascending by other unit. */
  readonly #all: Channel[] = [];
  readonly #closed = new WordBuffer();
  readonly #decisions = new WordBuffer();
  #openedSinceTaken = 0;
  #changedCount = 0;

  find(otherUnit: number): Channel | undefined {
    return this.#byUnit.get(otherUnit);
  }

  get(otherUnit: number): Channel {
    return this.#byUnit.get(otherUnit) ?? this.#add(otherUnit, 0, 0, 1);
  }

  /** Bytes that the next fold will hold, at most. */
  get changedBytes(): number {
    const words =
      this.#closed.length +
      this.#decisions.length +
      this.#openedSinceTaken * OPEN_ROW_WORDS +
      this.#changedCount * CHANNEL_ROW_WORDS;
    return words * Uint32Array.BYTES_PER_ELEMENT;
  }

  get bytes(): number {
    let bytes = this.pool.bytes;
    for (const { open, decided } of this.#all) bytes += open.bytes + decided.bytes;
    return bytes;
  }

  /** Gives out the next sequence and a place in the pool; the caller fills the row's record. */
  open(channel: Channel, wantsBalances: boolean): number {
    const sequence = channel.lastSequence + 1;
    const place = this.pool.take();
    const page = this.pool.pageOf(place);
    const row = this.pool.offsetOf(place);
    page[row + OpenRowWord.farUnit] = channel.otherUnit;
    page[row + OpenRowWord.wantsBalances] = wantsBalances ? 1 : 0;
    writeSafeU64(page, row + OpenRowWord.sequence, sequence);
    const at = channel.open.add(sequence);
    channel.open.words[at] = place + 1;
    channel.lastSequence = sequence;
    this.#openedSinceTaken += 1;
    this.#markChanged(channel);
    return place;
  }

  /** Place of an open crossing, or -1. */
  findOpen(channel: Channel, sequence: number): number {
    const at = channel.open.find(sequence);
    return at < 0 ? -1 : channel.open.words[at]! - 1;
  }

  close(channel: Channel, sequence: number, place: number): void {
    channel.open.remove(sequence);
    this.pool.release(place);
    // One opened and closed between two folds never reaches the books.
    if (sequence > channel.takenThrough) return;
    const row = this.#closed.addRow(CLOSED_ROW_WORDS);
    this.#closed.words[row] = channel.otherUnit;
    writeSafeU64(this.#closed.words, row + OpenRowWord.sequence, sequence);
  }

  decide(channel: Channel, sequence: number, status: number, lo: number, hi: number): void {
    setDecision(channel, sequence, status, lo, hi);
    const row = this.#decisions.addRow(DECISION_ROW_WORDS);
    const { words } = this.#decisions;
    words[row + DecisionRowWord.homeUnit] = channel.otherUnit;
    words[row + DecisionRowWord.status] = status;
    writeSafeU64(words, row + DecisionRowWord.sequence, sequence);
    words[row + DecisionRowWord.timestamp] = lo;
    words[row + DecisionRowWord.timestamp + 1] = hi;
    this.#markChanged(channel);
  }

  /** The home unit has finished all sequences up to this one and will never ask for them again. */
  forgetThrough(channel: Channel, sequence: number): void {
    if (sequence <= channel.forgottenThrough) return;
    channel.forgottenThrough = sequence;
    channel.decided.dropThrough(sequence);
    this.#markChanged(channel);
  }

  /** Open rows ascending by (far unit, sequence), copied: all, or those opened since the last fold. */
  copyOpen(sinceTaken: boolean): Uint32Array {
    const rows = new WordBuffer();
    for (const channel of this.#all) {
      const { open, takenThrough } = channel;
      const from = sinceTaken ? Math.max(open.first, takenThrough + 1) : open.first;
      for (let sequence = from; sequence < open.end; sequence += 1) {
        const place = this.findOpen(channel, sequence);
        if (place < 0) continue;
        const at = rows.addRow(OPEN_ROW_WORDS);
        rows.words.set(this.pool.copyOf(place), at);
      }
    }
    return rows.take();
  }

  takeChanges(): CrossingChanges {
    const opened = this.copyOpen(true);
    const channels = new WordBuffer();
    for (const channel of this.#all) {
      if (!channel.changed) continue;
      const row = channels.addRow(CHANNEL_ROW_WORDS);
      channels.words[row + ChannelRowWord.otherUnit] = channel.otherUnit;
      writeSafeU64(channels.words, row + ChannelRowWord.lastSequence, channel.lastSequence);
      writeSafeU64(channels.words, row + ChannelRowWord.forgottenThrough, channel.forgottenThrough);
      channel.changed = false;
      channel.takenThrough = channel.lastSequence;
    }
    this.#openedSinceTaken = 0;
    this.#changedCount = 0;
    const decisions = this.#takeDecisions();
    return { opened, closed: this.#closed.take(), decisions, channels: channels.take() };
  }

  /** Channels first, then what is open and decided on them. */
  load(channels: Uint32Array, opened: Uint32Array, decisions: Uint32Array): void {
    const firstOpen = new Map<number, number>();
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      const farUnit = opened[at + OpenRowWord.farUnit]!;
      const sequence = readSafeU64(opened, at + OpenRowWord.sequence);
      firstOpen.set(farUnit, Math.min(sequence, firstOpen.get(farUnit) ?? sequence));
    }
    for (let at = 0; at < channels.length; at += CHANNEL_ROW_WORDS) {
      const otherUnit = channels[at + ChannelRowWord.otherUnit]!;
      const last = readSafeU64(channels, at + ChannelRowWord.lastSequence);
      const forgotten = readSafeU64(channels, at + ChannelRowWord.forgottenThrough);
      this.#add(otherUnit, last, forgotten, firstOpen.get(otherUnit) ?? last + 1);
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      const channel = this.#loaded(decisions[at + DecisionRowWord.homeUnit]!);
      const sequence = readSafeU64(decisions, at + DecisionRowWord.sequence);
      const status = decisions[at + DecisionRowWord.status]!;
      const lo = decisions[at + DecisionRowWord.timestamp]!;
      const hi = decisions[at + DecisionRowWord.timestamp + 1]!;
      setDecision(channel, sequence, status, lo, hi);
    }
  }

  /** An open row of the books; returns its place. */
  loadOpen(rows: Uint32Array, at: number): number {
    const channel = this.#loaded(rows[at + OpenRowWord.farUnit]!);
    const sequence = readSafeU64(rows, at + OpenRowWord.sequence);
    invariant(sequence <= channel.lastSequence, 'an open crossing is past its channel');
    const place = this.pool.take();
    this.pool.pageOf(place).set(rows.subarray(at, at + OPEN_ROW_WORDS), this.pool.offsetOf(place));
    const slot = channel.open.add(sequence);
    channel.open.words[slot] = place + 1;
    return place;
  }

  #add(otherUnit: number, last: number, forgotten: number, firstOpen: number): Channel {
    const channel: Channel = {
      otherUnit,
      lastSequence: last,
      open: new SequenceWindow(1, firstOpen),
      forgottenThrough: forgotten,
      decided: new SequenceWindow(DECIDED_WORDS, forgotten + 1),
      changed: false,
      takenThrough: last,
    };
    // After a restart sequences behind an open one may be finished: they must count once it is.
    channel.open.reach(last);
    this.#byUnit.set(otherUnit, channel);
    this.#all.push(channel);
    this.#all.sort((a, b) => a.otherUnit - b.otherUnit);
    return channel;
  }

  #loaded(otherUnit: number): Channel {
    const channel = this.#byUnit.get(otherUnit);
    invariant(channel !== undefined, `the books hold no channel to unit ${otherUnit}`);
    return channel;
  }

  #markChanged(channel: Channel): void {
    if (channel.changed) return;
    channel.changed = true;
    this.#changedCount += 1;
  }

  /** Without those that are forgotten by now: the books need not learn of them. */
  #takeDecisions(): Uint32Array {
    const all = this.#decisions.take();
    const kept = new WordBuffer();
    for (let at = 0; at < all.length; at += DECISION_ROW_WORDS) {
      const channel = this.get(all[at + DecisionRowWord.homeUnit]!);
      if (readSafeU64(all, at + DecisionRowWord.sequence) <= channel.forgottenThrough) continue;
      const row = kept.addRow(DECISION_ROW_WORDS);
      kept.words.set(all.subarray(at, at + DECISION_ROW_WORDS), row);
    }
    return kept.take();
  }
}

function setDecision(channel: Channel, sequence: number, status: number, lo: number, hi: number) {
  const at = channel.decided.add(sequence);
  const { words } = channel.decided;
  words[at + DecidedWord.status] = status;
  words[at + DecidedWord.timestamp] = lo;
  words[at + DecidedWord.timestamp + 1] = hi;
}

/** The home unit has finished every sequence up to this one. */
export function finishedThrough(channel: Channel): number {
  return Math.min(channel.open.first - 1, channel.lastSequence);
}
