import type { Disk, DiskDone } from '../server/core/disk.ts';
import { DiskError } from '../server/core/disk.ts';

/** Asks the world to complete an operation later, by calling `complete` once. */
export type ScheduleDisk = (
  kind: 'write' | 'sync' | 'remove',
  bytes: number,
  complete: () => void,
) => void;

/** Uniform u32. */
export type Random = () => number;

const SECTOR_BYTES = 512;

interface Operation {
  readonly kind: 'write' | 'sync' | 'remove';
  readonly name: string;
  readonly offset: number;
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  /** Writes completed before a sync was called: what it covers. */
  readonly covers: number;
  readonly done: DiskDone;
}

/** What a sector held before a write that no sync has covered. */
interface Before {
  readonly write: number;
  readonly bytes: Uint8Array;
}

interface File {
  /** As a process sees it now. */
  data: Uint8Array;
  size: number;
  /** As far as surely survives a power loss. */
  durableSize: number;
  durableName: boolean;
  /** By sector, oldest first; a sector without any is durable as it is. */
  readonly before: Map<number, Before[]>;
}

/**
 * A disk in memory that forgets like a real one: at a power loss every sector written since the last sync is kept,
 * lost or torn by itself. It outlives the process that uses it: after `crash` or `kill` no completion
 * of the old process comes any more, and the next process takes over the same object.
 */
export class SimDisk implements Disk {
  readonly #schedule: ScheduleDisk;
  readonly #files = new Map<string, File>();
  #queue: Operation[] = [];
  #writes = 0;
  /** Operations of earlier processes never complete. */
  #process = 0;
  #failSyncs = 0;

  constructor(schedule: ScheduleDisk) {
    this.#schedule = schedule;
  }

  list(): string[] {
    return [...this.#files.keys()].sort();
  }

  size(name: string): number {
    return this.#files.get(name)?.size ?? 0;
  }

  read(name: string, offset: number, length: number): Uint8Array {
    const file = this.#files.get(name);
    if (file === undefined) return new Uint8Array(0);
    return file.data.slice(Math.min(offset, file.size), Math.min(offset + length, file.size));
  }

  write(name: string, offset: number, chunks: readonly Uint8Array[], done: DiskDone): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#enqueue({ kind: 'write', name, offset, chunks, bytes, covers: 0, done });
  }

  sync(name: string, done: DiskDone): void {
    const covers = this.#writes;
    this.#enqueue({ kind: 'sync', name, offset: 0, chunks: [], bytes: 0, covers, done });
  }

  remove(name: string, done: DiskDone): void {
    this.#enqueue({ kind: 'remove', name, offset: 0, chunks: [], bytes: 0, covers: 0, done });
  }

  /** The next `count` syncs fail, and what they covered stays at risk for good, as on Linux. */
  failSyncs(count: number): void {
    this.#failSyncs = count;
  }

  /** Rot: one bit changes, durably and unnoticed. */
  flipBit(name: string, offset: number, bit: number): void {
    const file = this.#files.get(name);
    if (file === undefined || offset >= file.size) throw new Error(`no byte ${offset} in ${name}`);
    file.data[offset] = file.data[offset]! ^ (1 << bit);
    for (const { bytes } of file.before.get(Math.floor(offset / SECTOR_BYTES)) ?? []) {
      bytes[offset % SECTOR_BYTES] = bytes[offset % SECTOR_BYTES]! ^ (1 << bit);
    }
  }

  /** The process dies, the machine lives on: writes that completed are readable, but not durable yet. */
  kill(random: Random): void {
    this.#process += 1;
    const queue = this.#queue;
    this.#queue = [];
    // Of what was under way any part may have been done, in order: the rest was never asked for.
    for (const operation of queue) {
      if (operation.kind !== 'write' || random() % 2 === 0) break;
      const part =
        operation.bytes === 0 || random() % 2 === 0 ? operation.bytes : random() % operation.bytes;
      this.#apply(operation, part);
      if (part < operation.bytes) break;
    }
  }

  /** The power goes: every sector that no sync covered is kept, lost or torn. */
  crash(random: Random): void {
    this.#process += 1;
    const queue = this.#queue;
    this.#queue = [];
    for (const operation of queue)
      if (operation.kind === 'write') this.#apply(operation, operation.bytes);
    for (const name of this.list()) {
      const file = this.#files.get(name)!;
      if (!file.durableName && random() % 2 === 0) this.#files.delete(name);
      else crashFile(file, random);
    }
  }

  #enqueue(operation: Operation): void {
    this.#queue.push(operation);
    if (this.#queue.length === 1) this.#start();
  }

  /** One at a time, in order: the device does one thing after the other. */
  #start(): void {
    const operation = this.#queue[0];
    if (operation === undefined) return;
    const process = this.#process;
    this.#schedule(operation.kind, operation.bytes, () => {
      if (process !== this.#process) return;
      this.#queue.shift();
      const error = this.#complete(operation);
      this.#start();
      operation.done(error);
    });
  }

  #complete(operation: Operation): Error | null {
    const { kind, name } = operation;
    if (kind === 'write') this.#apply(operation, operation.bytes);
    else if (kind === 'remove') this.#files.delete(name);
    else return this.#sync(operation);
    return null;
  }

  #apply(operation: Operation, bytes: number): void {
    const { name, offset, chunks } = operation;
    const file = this.#file(name);
    this.#writes += 1;
    const end = offset + bytes;
    grow(file, end);
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      const before = file.before.get(sector) ?? [];
      before.push({ write: this.#writes, bytes: sectorOf(file, sector).slice() });
      file.before.set(sector, before);
    }
    let at = offset;
    for (const chunk of chunks) {
      file.data.set(chunk.subarray(0, Math.max(0, end - at)), at);
      at += chunk.length;
    }
    file.size = Math.max(file.size, end);
  }

  #sync(operation: Operation): Error | null {
    const { name, covers } = operation;
    const file = this.#files.get(name);
    if (file === undefined) return new DiskError('sync', name, 'no such file');
    const fails = this.#failSyncs > 0;
    if (fails) this.#failSyncs -= 1;
    for (const [sector, before] of file.before) {
      if (fails) {
        // Linux marks the pages clean: no later sync writes them, though reads still show them.
        const atRisk = before.map(({ bytes }) => ({ write: Number.POSITIVE_INFINITY, bytes }));
        file.before.set(sector, atRisk);
        continue;
      }
      const left = before.filter(({ write }) => write > covers);
      if (left.length > 0) file.before.set(sector, left);
      else file.before.delete(sector);
    }
    if (fails) return new DiskError('sync', name, 'EIO: simulated');
    file.durableSize = file.size;
    file.durableName = true;
    return null;
  }

  #file(name: string): File {
    let file = this.#files.get(name);
    if (file === undefined) {
      const data = new Uint8Array(64 * SECTOR_BYTES);
      file = { data, size: 0, durableSize: 0, durableName: false, before: new Map() };
      this.#files.set(name, file);
    }
    return file;
  }
}

function sectorOf(file: File, sector: number): Uint8Array {
  return file.data.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}

function grow(file: File, size: number): void {
  const needed = Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES;
  if (needed <= file.data.length) return;
  const data = new Uint8Array(Math.max(needed, 2 * file.data.length));
  data.set(file.data);
  file.data = data;
}

function crashFile(file: File, random: Random): void {
  let keptEnd = file.durableSize;
  for (const [sector, before] of [...file.before].sort(([a], [b]) => a - b)) {
    const now = sectorOf(file, sector);
    const versions = [...before.map(({ bytes }) => bytes), now.slice()];
    const kept = crashSector(versions, random);
    if (kept !== versions[0]) keptEnd = Math.max(keptEnd, (sector + 1) * SECTOR_BYTES);
    now.set(kept);
  }
  file.before.clear();
  file.size = Math.min(file.size, keptEnd);
  file.data.fill(0, file.size);
  file.durableSize = file.size;
  file.durableName = true;
}

/** `versions`, oldest first: the first is durable, each of the others may have reached the disk or not. */
function crashSector(versions: readonly Uint8Array[], random: Random): Uint8Array {
  const version = random() % versions.length;
  const kept = versions[version]!;
  if (version === 0 || random() % 2 === 0) return kept;
  const torn = versions[version - 1]!.slice();
  const cut = random() % SECTOR_BYTES;
  const how = random() % 3;
  if (how === 0) torn.set(kept.subarray(0, cut));
  else if (how === 1) torn.set(kept.subarray(cut), cut);
  else for (let i = 0; i < torn.length; i++) torn[i] = random();
  return torn;
}
