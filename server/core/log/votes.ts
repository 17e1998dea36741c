import { crc32 } from 'node:zlib';
import type { Disk, DiskDone } from '../disk.ts';
import { check } from './error.ts';
import { BLOCK_BYTES, getU53, nextBlock, setU53, viewOf } from './format.ts';

/** What a unit has promised, and must keep whatever becomes of its log. */
export interface UnitVote {
  readonly unit: number;
  readonly term: number;
  readonly vote: number;
  /** Entries that it may have acknowledged are lost (consensus/recover.ts). */
  readonly recovering: boolean;
}

export const VOTES_FILE = 'votes';
/** Room for 1,364 units. */
export const VOTES_SLOT_BYTES = 8 * BLOCK_BYTES;
const HEAD_BYTES = 24;
const VOTE_BYTES = 24;
const UNITS_MAX = Math.floor((VOTES_SLOT_BYTES - HEAD_BYTES) / VOTE_BYTES);
const MAGIC = 0x65746f76;
const RECOVERING = 1;

interface Slot {
  readonly sequence: number;
  readonly votes: readonly UnitVote[];
}

/**
 * Term and vote of each unit, a second time beside the log, so that rot takes no promise back. Two slots of fixed
 * size, written where they lie: that needs no room on a full disk. A change goes to one slot while the other is durable;
 * then, without a sync, the other one gets the same, so that either may be damaged.
 *
 * A slot: CRC-32 of what follows u32, magic u32, count u32, zero u32, sequence u53, then for each unit: unit u32, vote u32,
 * term u53, flags u32, zero u32.
 */
export class Votes {
  /** What was read back; null if both copies are damaged, or there is no file. */
  readonly found: readonly UnitVote[] | null;
  readonly #disk: Disk;
  readonly #failed: (error: Error) => void;
  #sequence = 0;
  /** The slot that is durable once the last write is done. */
  #slot: 0 | 1 = 0;

  constructor(disk: Disk, failed: (error: Error) => void) {
    this.#disk = disk;
    this.#failed = failed;
    const [first, second] = [readSlot(disk, 0), readSlot(disk, 1)];
    this.#slot = (second?.sequence ?? -1) > (first?.sequence ?? -1) ? 1 : 0;
    const newest = this.#slot === 0 ? first : second;
    this.found = newest?.votes ?? null;
    this.#sequence = newest?.sequence ?? 0;
  }

  /** As `write`, for the first time. What was read back may be in the system's cache only. */
  open(votes: readonly UnitVote[], done: () => void): void {
    const write = () => this.write(votes, done);
    const room = [new Uint8Array(2 * VOTES_SLOT_BYTES)];
    if (this.#disk.size(VOTES_FILE) < 2 * VOTES_SLOT_BYTES)
      this.#disk.write(VOTES_FILE, 0, room, this.#step(write));
    else this.#disk.sync(VOTES_FILE, this.#step(write));
  }

  /** Durable when done. One at a time. */
  write(votes: readonly UnitVote[], done: () => void): void {
    this.#sequence += 1;
    this.#slot = this.#slot === 0 ? 1 : 0;
    const slot = this.#slot;
    const bytes = encodeSlot({ sequence: this.#sequence, votes });
    const synced = this.#step(() => {
      done();
      // With the next change on its way the other slot gets that one.
      if (slot === this.#slot) this.#write(slot === 0 ? 1 : 0, bytes, () => {});
    });
    this.#write(slot, bytes, () => this.#disk.sync(VOTES_FILE, synced));
  }

  #write(slot: 0 | 1, bytes: Uint8Array, next: () => void): void {
    this.#disk.write(VOTES_FILE, slot * VOTES_SLOT_BYTES, [bytes], this.#step(next));
  }

  #step(next: () => void): DiskDone {
    return (error) => {
      if (error === null) next();
      else this.#failed(error);
    };
  }
}

function readSlot(disk: Disk, slot: 0 | 1): Slot | null {
  let bytes: Uint8Array;
  try {
    bytes = disk.read(VOTES_FILE, slot * VOTES_SLOT_BYTES, VOTES_SLOT_BYTES);
  } catch {
    return null; // a bad sector: the other copy counts
  }
  if (bytes.length < VOTES_SLOT_BYTES) return null;
  const view = viewOf(bytes);
  const count = view.getUint32(8, true);
  if (view.getUint32(4, true) !== MAGIC || count > UNITS_MAX) return null;
  const end = HEAD_BYTES + VOTE_BYTES * count;
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4, end))) return null;
  const votes = Array.from({ length: count }, (_, i) => {
    const at = HEAD_BYTES + VOTE_BYTES * i;
    return {
      unit: view.getUint32(at, true),
      vote: view.getUint32(at + 4, true),
      term: getU53(view, at + 8),
      recovering: view.getUint32(at + 16, true) === RECOVERING,
    };
  });
  return { sequence: getU53(view, 16), votes };
}

function encodeSlot({ sequence, votes }: Slot): Uint8Array {
  check(votes.length <= UNITS_MAX, `at most ${UNITS_MAX} units`);
  const end = HEAD_BYTES + VOTE_BYTES * votes.length;
  const bytes = new Uint8Array(nextBlock(end));
  const view = viewOf(bytes);
  view.setUint32(4, MAGIC, true);
  view.setUint32(8, votes.length, true);
  setU53(view, 16, sequence);
  for (const [i, { unit, term, vote, recovering }] of votes.entries()) {
    const at = HEAD_BYTES + VOTE_BYTES * i;
    view.setUint32(at, unit, true);
    view.setUint32(at + 4, vote, true);
    setU53(view, at + 8, term);
    view.setUint32(at + 16, recovering ? RECOVERING : 0, true);
  }
  view.setUint32(0, crc32(bytes.subarray(4, end)), true);
  return bytes;
}
