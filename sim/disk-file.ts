export const SECTOR_BYTES = 512;

/**
 * What a power cut leaves open: whether a new file's name was kept, or a file being removed is gone; how long the file
 * is; which version of a sector is there; whether that one was only partly written, how, and from where on. And what the
 * end of a process does: whether an operation had begun, was done, or how many of its bytes.
 */
export type Unsure =
  | 'name'
  | 'removal'
  | 'size'
  | 'sector'
  | 'torn'
  | 'tornHow'
  | 'tornAt'
  | 'begun'
  | 'done'
  | 'part';

/** Picks one of 0 .. options - 1. 0 is what surely was durable; the last is what the process saw; not torn is 0. */
export type Choose = (options: number, what: Unsure) => number;

/** What was there before a write that no sync has covered. */
interface Before<T> {
  readonly write: number;
  readonly was: T;
}

/** What was there before a file grew. */
const ZEROS = new Uint8Array(SECTOR_BYTES);

/** A write that a failed sync covered: the system takes its pages for clean, so no later sync brings them to disk. */
const GIVEN_UP = Number.POSITIVE_INFINITY;

/** One file of a simulated disk, as a process sees it, and all that a power cut may make of it. */
export class SimFile {
  #data: Uint8Array;
  #size = 0;
  /** The bytes are also another file's: copy before changing them. */
  #shared = false;
  #nameDurable = false;
  /** It was asked to be removed, and the process ended before that was done. */
  maybeRemoved = false;
  /** Oldest first; a sector without any is durable as it is. */
  readonly #sectors = new Map<number, Before<Uint8Array>[]>();
  #sizes: Before<number>[] = [];
  /** Sectors that can't be read until they are written again. */
  readonly #unreadable = new Set<number>();

  constructor(from?: SimFile) {
    this.#data = from === undefined ? new Uint8Array(64 * SECTOR_BYTES) : from.#data;
    if (from === undefined) return;
    this.#shared = true;
    from.#shared = true;
    this.#size = from.#size;
    this.#nameDurable = from.#nameDurable;
    this.maybeRemoved = from.maybeRemoved;
    this.#sizes = [...from.#sizes];
    for (const [sector, before] of from.#sectors) this.#sectors.set(sector, [...before]);
    for (const sector of from.#unreadable) this.#unreadable.add(sector);
  }

  get size(): number {
    return this.#size;
  }

  /** Null if a sector of the range is unreadable. */
  read(offset: number, length: number): Uint8Array | null {
    const from = Math.min(offset, this.#size);
    const to = Math.min(offset + length, this.#size);
    for (const sector of this.#unreadable) {
      if (sector * SECTOR_BYTES < to && (sector + 1) * SECTOR_BYTES > from) return null;
    }
    return this.#data.slice(from, to);
  }

  /** The first `bytes` of the chunks, or zeros where they end before. */
  write(write: number, offset: number, chunks: readonly Uint8Array[], bytes: number): void {
    const sizeBefore = this.#size;
    this.extend(write, offset + bytes);
    this.#remember(write, offset, bytes, sizeBefore);
    const end = offset + bytes;
    let at = offset;
    for (const chunk of chunks) {
      this.#data.set(chunk.subarray(0, Math.max(0, end - at)), at);
      at += chunk.length;
    }
  }

  /** Up to `size`, with zeros. */
  extend(write: number, size: number): void {
    if (size <= this.#size) return;
    this.#sizes.push({ write, was: this.#size });
    this.#size = size;
    this.#own(size);
  }

  #remember(write: number, offset: number, bytes: number, sizeBefore: number): void {
    this.#own(this.#size);
    const end = offset + bytes;
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      const isNew = sector * SECTOR_BYTES >= sizeBefore;
      const one = { write, was: isNew ? ZEROS : this.#sector(sector).slice() };
      const before = this.#sectors.get(sector);
      if (before === undefined) this.#sectors.set(sector, [one]);
      else before.push(one);
      this.#unreadable.delete(sector);
    }
  }

  /** All writes up to `covers` are durable now, and what earlier failed syncs had given up below them. */
  sync(covers: number): void {
    for (const [sector, before] of this.#sectors) {
      const left = uncovered(before, covers);
      if (left.length > 0) this.#sectors.set(sector, left);
      else this.#sectors.delete(sector);
    }
    this.#sizes = uncovered(this.#sizes, covers);
    this.#nameDurable = true;
  }

  /** The size and the name are only late: the next sync does cover them. */
  failSync(covers: number): void {
    for (const [sector, before] of this.#sectors)
      this.#sectors.set(sector, givenUp(before, covers));
  }

  flipBit(offset: number, bit: number): void {
    this.#own(this.#size);
    this.#data[offset] = this.#data[offset]! ^ (1 << bit);
    const sector = Math.floor(offset / SECTOR_BYTES);
    const before = (this.#sectors.get(sector) ?? []).map(({ write, was }) => {
      const flipped = was.slice();
      flipped[offset % SECTOR_BYTES] = was[offset % SECTOR_BYTES]! ^ (1 << bit);
      return { write, was: flipped };
    });
    if (before.length > 0) this.#sectors.set(sector, before);
  }

  makeUnreadable(offset: number): void {
    this.#unreadable.add(Math.floor(offset / SECTOR_BYTES));
  }

  /** How many different files a power cut could make of this one, no file being one of them; sectors whole. */
  outcomes(): number {
    let count = this.#nameDurable && !this.maybeRemoved ? 0 : 1;
    const sectors = [...this.#sectors].map(([sector]) => ({
      from: sector * SECTOR_BYTES,
      versions: this.#versions(sector).length,
    }));
    for (const size of this.#sizeVersions()) {
      let product = 1;
      for (const { from, versions } of sectors) if (from < size) product *= versions;
      count += product;
    }
    return count;
  }

  /** The power goes; false if no file is left. */
  cutPower(choose: Choose): boolean {
    if (!this.#nameDurable && choose(2, 'name') === 0) return false;
    if (this.maybeRemoved && choose(2, 'removal') === 1) return false;
    this.maybeRemoved = false;
    this.#nameDurable = true;
    const sizes = this.#sizeVersions();
    const size = sizes.length > 1 ? sizes[choose(sizes.length, 'size')]! : this.#size;
    for (const sector of [...this.#sectors.keys()].sort((a, b) => a - b)) {
      if (sector * SECTOR_BYTES < size) this.#cutSector(sector, choose);
    }
    this.#sectors.clear();
    this.#sizes = [];
    if (size < this.#size) {
      this.#own(this.#size);
      this.#data.fill(0, size, this.#size);
      this.#size = size;
    }
    return true;
  }

  #cutSector(sector: number, choose: Choose): void {
    const versions = this.#versions(sector);
    const last = versions.length - 1;
    const chosen = choose(last + 1, 'sector');
    // The same bytes written again are at risk too: a sector torn by the power may hold neither.
    const torn = (chosen > 0 || last === 0) && choose(2, 'torn') === 1;
    if (chosen === last && !torn) return;
    this.#own(this.#size);
    const now = this.#sector(sector);
    const kept = versions[chosen]!;
    now.set(torn ? tear(versions[Math.max(0, chosen - 1)]!, kept, choose) : kept);
  }

  /** The same, for another future. */
  fork(): SimFile {
    return new SimFile(this);
  }

  /** What the sector may hold after a power cut, oldest first, without repeats. */
  #versions(sector: number): Uint8Array[] {
    const versions: Uint8Array[] = [];
    const before = this.#sectors.get(sector) ?? [];
    for (const bytes of [...before.map(({ was }) => was), this.#sector(sector)]) {
      const known = versions.findIndex((other) => equal(other, bytes));
      // What the process saw comes last, but what was durable stays first.
      if (known > 0) versions.splice(known, 1);
      if (known !== 0) versions.push(bytes);
    }
    return versions;
  }

  #sizeVersions(): number[] {
    return [...new Set([...this.#sizes.map(({ was }) => was), this.#size])];
  }

  #sector(sector: number): Uint8Array {
    return this.#data.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  }

  /** Room for so many bytes that are this file's alone. */
  #own(size: number): void {
    const needed = Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES;
    if (needed <= this.#data.length && !this.#shared) return;
    const grown = needed > this.#data.length ? Math.max(needed, 2 * this.#data.length) : 0;
    const data = new Uint8Array(Math.max(grown, this.#data.length));
    data.set(this.#data);
    this.#data = data;
    this.#shared = false;
  }
}

/** What is left unsure once all writes up to `covers` are durable: what came after the last of them. */
function uncovered<T>(before: Before<T>[], covers: number): Before<T>[] {
  return before.slice(before.findLastIndex(({ write }) => write <= covers) + 1);
}

function givenUp<T>(before: Before<T>[], covers: number): Before<T>[] {
  return before.map((one) => (one.write <= covers ? { write: GIVEN_UP, was: one.was } : one));
}

/** The power went while `to` was written over `from`. */
function tear(from: Uint8Array, to: Uint8Array, choose: Choose): Uint8Array {
  const torn = from.slice();
  const at = choose(SECTOR_BYTES, 'tornAt');
  const how = choose(3, 'tornHow');
  if (how === 0) torn.set(to.subarray(0, at));
  else if (how === 1) torn.set(to.subarray(at), at);
  else for (let i = 0; i < torn.length; i++) torn[i] = Math.imul(at + i + 1, 0x9e37_79b1) >>> 24;
  return torn;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
