import { CLOSED_ROW_WORDS, type Fold } from '../ledger/fold.ts';
import {
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
} from '../ledger/layout.ts';
import { u64At } from '../server/core/books-row.ts';

/** Open crossings, decisions and channels: few, and changed often. */
export class CrossingTables {
  readonly #opened = new Map<string, Uint32Array>();
  readonly #decisions = new Map<string, Uint32Array>();
  readonly #channels = new Map<string, Uint32Array>();

  image(): { opened: Uint32Array; decisions: Uint32Array; channels: Uint32Array } {
    return {
      opened: rowsByKey(this.#opened, OPEN_ROW_WORDS),
      decisions: rowsByKey(this.#decisions, DECISION_ROW_WORDS),
      channels: rowsByKey(this.#channels, CHANNEL_ROW_WORDS),
    };
  }

  assert({ opened, closed, decisions }: Fold): void {
    for (let at = 0; at < closed.length; at += CLOSED_ROW_WORDS) {
      if (!this.#opened.has(openKey(closed, at))) throw new Error('no such crossing is open');
    }
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      if (this.#opened.has(openKey(opened, at))) throw new Error('a crossing is open already');
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      if (this.#decisions.has(decisionKey(decisions, at)))
        throw new Error('a decision is made twice');
    }
  }

  put(changes: Pick<Fold, 'opened' | 'closed' | 'decisions' | 'channels'>): void {
    const { opened, closed, decisions, channels } = changes;
    for (let at = 0; at < closed.length; at += CLOSED_ROW_WORDS) {
      this.#opened.delete(openKey(closed, at));
    }
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      this.#opened.set(openKey(opened, at), opened.slice(at, at + OPEN_ROW_WORDS));
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      this.#decisions.set(decisionKey(decisions, at), decisions.slice(at, at + DECISION_ROW_WORDS));
    }
    for (let at = 0; at < channels.length; at += CHANNEL_ROW_WORDS) {
      const otherUnit = channels[at + ChannelRowWord.otherUnit]!;
      this.#channels.set(keyOf(otherUnit, 0n), channels.slice(at, at + CHANNEL_ROW_WORDS));
      this.#forget(otherUnit, u64At(channels, at + ChannelRowWord.forgottenThrough));
    }
  }

  #forget(homeUnit: number, throughSequence: bigint): void {
    const first = keyOf(homeUnit, 0n);
    const last = keyOf(homeUnit, throughSequence);
    for (const key of this.#decisions.keys()) {
      if (key >= first && key <= last) this.#decisions.delete(key);
    }
  }
}

function openKey(rows: Uint32Array, at: number): string {
  return keyOf(rows[at + OpenRowWord.farUnit]!, u64At(rows, at + OpenRowWord.sequence));
}

function decisionKey(rows: Uint32Array, at: number): string {
  return keyOf(rows[at + DecisionRowWord.homeUnit]!, u64At(rows, at + DecisionRowWord.sequence));
}

/** Fixed width, so that the order of keys is that of (unit, sequence). */
function keyOf(unit: number, sequence: bigint): string {
  return `${String(unit).padStart(5, '0')}/${String(sequence).padStart(20, '0')}`;
}

function rowsByKey(rows: Map<string, Uint32Array>, rowWords: number): Uint32Array {
  const all = new Uint32Array(rows.size * rowWords);
  const ascending = [...rows.keys()].sort();
  for (const [position, key] of ascending.entries()) all.set(rows.get(key)!, position * rowWords);
  return all;
}
