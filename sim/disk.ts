import type { Disk, DiskDone } from '../server/core/disk.ts';
import { DiskError } from '../server/core/disk.ts';
import { type Choose, SimFile } from './disk-file.ts';

/** Asks the world to complete an operation later, by calling `complete` once. */
export type ScheduleDisk = (
  kind: 'write' | 'sync' | 'remove',
  bytes: number,
  complete: () => void,
) => void;

/** Uniform u32. */
export type Random = () => number;

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

/**
 * A disk in memory that forgets, lies and rots like a real one, on demand. It outlives the process that uses it: after
 * `crash` or `kill` no completion of the old process comes any more, and the next process takes over the same object.
 * How long things take is up to whoever completes them.
 */
export class SimDisk implements Disk {
  readonly #schedule: ScheduleDisk;
  readonly #files = new Map<string, SimFile>();
  #queue: Operation[] = [];
  /** So many writes were completed: the number of the last. */
  #writes = 0;
  /** So many operations were completed. */
  #steps = 0;
  /** Operations of earlier processes never complete. */
  #process = 0;
  #failSyncs = 0;
  #failWrites = 0;
  #keptOfFailed = 0;
  #lost = false;
  #misdirected: { readonly name: string; readonly offset: number } | null = null;
  #stalled = false;
  /** What came due while it stood still. */
  #due: (() => void) | null = null;
  /** Syncs succeed and make nothing durable. */
  lies = false;
  /** Writes that would make all files together larger fail. */
  capacityBytes = Number.POSITIVE_INFINITY;

  constructor(schedule: ScheduleDisk) {
    this.#schedule = schedule;
  }

  list(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** Somebody removes all files while no process runs. */
  removeAll(): void {
    this.#files.clear();
  }

  size(name: string): number {
    return this.#files.get(name)?.size ?? 0;
  }

  read(name: string, offset: number, length: number): Uint8Array {
    const file = this.#files.get(name);
    if (file === undefined) return new Uint8Array(0);
    const bytes = file.read(offset, length);
    if (bytes === null) throw new DiskError('read', name, 'EIO: simulated');
    return bytes;
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

  get steps(): number {
    return this.#steps;
  }

  /** What is under way; 'idle' if nothing is. */
  get doing(): Operation['kind'] | 'idle' {
    return this.#queue[0]?.kind ?? 'idle';
  }

  /** The next `count` syncs fail. Reads still show what they covered, but no later sync makes it durable, as on Linux. */
  failSyncs(count: number): void {
    this.#failSyncs = count;
  }

  /** The next `count` writes fail, each after so many of its bytes. */
  failWrites(count: number, keptBytes = 0): void {
    this.#failWrites = count;
    this.#keptOfFailed = keptBytes;
  }

  /** The next write is acknowledged and never happens, though the file grows. */
  loseNextWrite(): void {
    this.#lost = true;
  }

  /** The next write goes to another place, and nothing to its own, though the file grows. */
  misdirectNextWrite(name: string, offset: number): void {
    this.#misdirected = { name, offset };
  }

  /** Nothing completes until `resume`. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    const due = this.#due;
    this.#due = null;
    due?.();
  }

  /** Rot: one bit changes, durably and unnoticed. */
  flipBit(name: string, offset: number, bit: number): void {
    this.#at(name, offset).flipBit(offset, bit);
  }

  /** A latent error: the sector of that byte can't be read until it is written again. */
  makeUnreadable(name: string, offset: number): void {
    this.#at(name, offset).makeUnreadable(offset);
  }

  /** The process dies, the machine lives on: writes that completed are readable, but not durable yet. */
  kill(random: Random): void {
    this.killProcess((options) => random() % options);
  }

  /** Of what was under way any part may have been done, in order; `choose` decides, its last options for all of it. */
  killProcess(choose: Choose): void {
    for (const operation of this.#endProcess()) {
      if (choose(2, 'begun') === 0) break;
      if (operation.kind === 'remove') this.#files.delete(operation.name);
      if (operation.kind !== 'write') continue;
      const done = choose(2, 'done') === 1;
      this.#apply(operation, done ? operation.bytes : choose(operation.bytes + 1, 'part'));
      if (!done) break;
    }
  }

  /** The power goes: every sector, size and name that no sync covered is kept, lost or torn. */
  crash(random: Random): void {
    this.cutPower((options) => random() % options);
  }

  /** The power goes, and `choose` decides what is left. */
  cutPower(choose: Choose): void {
    this.abandon();
    for (const name of this.list()) {
      if (!this.#files.get(name)!.cutPower(choose)) this.#files.delete(name);
    }
  }

  /** How many different disks `cutPower` could leave, not counting torn sectors, if nothing is under way. */
  outcomes(): number {
    let product = 1;
    for (const file of this.#files.values()) product *= file.outcomes();
    return product;
  }

  /** The same disk at this moment, for another future; what is under way there never completes. */
  fork(schedule: ScheduleDisk): SimDisk {
    const disk = new SimDisk(schedule);
    for (const [name, file] of this.#files) disk.#files.set(name, file.fork());
    disk.#queue = [...this.#queue];
    disk.#writes = this.#writes;
    return disk;
  }

  /** The process is gone. Any part of what it had under way may have been done, so all of it is like an unsynced write. */
  abandon(): void {
    for (const operation of this.#endProcess()) {
      if (operation.kind === 'write') this.#apply(operation, operation.bytes);
      const file = this.#files.get(operation.name);
      if (operation.kind === 'remove' && file !== undefined) file.maybeRemoved = true;
    }
  }

  #endProcess(): Operation[] {
    this.#process += 1;
    this.#due = null;
    const queue = this.#queue;
    this.#queue = [];
    return queue;
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
    const complete = () => {
      if (process !== this.#process) return;
      if (this.#stalled) {
        this.#due = complete;
        return;
      }
      this.#queue.shift();
      this.#steps += 1;
      const error = this.#complete(operation);
      this.#start();
      operation.done(error);
    };
    this.#schedule(operation.kind, operation.bytes, complete);
  }

  #complete(operation: Operation): Error | null {
    const { kind, name } = operation;
    if (kind === 'write') return this.#write(operation);
    if (kind === 'sync') return this.#sync(operation);
    this.#files.delete(name);
    return null;
  }

  #write(operation: Operation): Error | null {
    const { name, offset, bytes } = operation;
    if (this.#failWrites > 0) {
      this.#failWrites -= 1;
      this.#apply(operation, Math.min(bytes, this.#keptOfFailed));
      return new DiskError('write', name, 'EIO: simulated');
    }
    const room = this.#room(name) - offset;
    if (bytes > room && offset + bytes > this.size(name)) {
      if (room > 0) this.#apply(operation, room);
      return new DiskError('write', name, 'ENOSPC: simulated');
    }
    if (this.#lost || this.#misdirected !== null) this.#astray(operation);
    else this.#apply(operation, bytes);
    return null;
  }

  freeBytes(): number {
    let free = this.capacityBytes;
    for (const file of this.#files.values()) free -= file.size;
    return Math.max(0, free);
  }

  /** How large the file may become. */
  #room(name: string): number {
    let left = this.capacityBytes;
    for (const [other, file] of this.#files) if (other !== name) left -= file.size;
    return left;
  }

  #astray(operation: Operation): void {
    const { name, offset, bytes } = operation;
    const to = this.#misdirected;
    this.#lost = false;
    this.#misdirected = null;
    this.#writes += 1;
    this.#file(name).extend(this.#writes, offset + bytes);
    if (to !== null) this.#apply({ ...operation, ...to }, bytes);
  }

  #apply(operation: Operation, bytes: number): void {
    const { name, offset, chunks } = operation;
    this.#writes += 1;
    this.#file(name).write(this.#writes, offset, chunks, bytes);
  }

  #sync(operation: Operation): Error | null {
    const { name, covers } = operation;
    const file = this.#files.get(name);
    if (file === undefined) return new DiskError('sync', name, 'no such file');
    if (this.#failSyncs > 0) {
      this.#failSyncs -= 1;
      file.failSync(covers);
      return new DiskError('sync', name, 'EIO: simulated');
    }
    if (!this.lies) file.sync(covers);
    return null;
  }

  #at(name: string, offset: number): SimFile {
    const file = this.#files.get(name);
    if (file === undefined || offset >= file.size) throw new Error(`no byte ${offset} in ${name}`);
    return file;
  }

  #file(name: string): SimFile {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = new SimFile();
      this.#files.set(name, file);
    }
    return file;
  }
}
