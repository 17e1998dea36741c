import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statfsSync,
  unlink,
  write,
  writev,
} from 'node:fs';
import { join } from 'node:path';
import { type Disk, type DiskDone, DiskError } from '../core/disk.ts';

type Task = (finished: () => void) => void;

interface OpenFile {
  readonly fd: number;
  /** Operations under way or waiting; the first is under way. */
  readonly tasks: Task[];
  /** The folder knows the name for good. */
  nameDurable: boolean;
}

/** Linux's IOV_MAX: more chunks than this go in several calls. */
const CHUNKS_MAX = 1024;

/** The Disk on a real folder. Files are opened once and kept; operations of a file run one after the other. */
export class NodeDisk implements Disk {
  readonly #folder: string;
  readonly #folderFd: number;
  readonly #files = new Map<string, OpenFile>();
  #closed = false;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#folderFd = openSync(folder, 'r');
  }

  list(): string[] {
    return readdirSync(this.#folder).sort();
  }

  size(name: string): number {
    const file = this.#existing(name);
    return file === null ? 0 : fstatSync(file.fd).size;
  }

  read(name: string, offset: number, length: number): Uint8Array {
    const file = this.#existing(name);
    if (file === null) return new Uint8Array(0);
    const wanted = Math.max(0, Math.min(length, fstatSync(file.fd).size - offset));
    // Not from Node's shared pool: the caller keeps parts of it for long.
    const bytes = Buffer.allocUnsafeSlow(wanted);
    let got = 0;
    try {
      while (got < wanted) {
        const count = readSync(file.fd, bytes, got, wanted - got, offset + got);
        if (count === 0) break;
        got += count;
      }
    } catch (error) {
      throw new DiskError('read', name, error);
    }
    return new Uint8Array(bytes.buffer, 0, got);
  }

  write(name: string, offset: number, chunks: readonly Uint8Array[], done: DiskDone): void {
    const file = this.#file(name, done);
    if (file === null) return;
    this.#enqueue(file, (finished) => {
      writeAll(
        file.fd,
        offset,
        chunks.filter((chunk) => chunk.length > 0),
        (error) => {
          finished();
          done(error === null ? null : new DiskError('write', name, error));
        },
      );
    });
  }

  sync(name: string, done: DiskDone): void {
    const file = this.#file(name, done);
    if (file === null) return;
    this.#enqueue(file, (finished) => {
      const end = (error: Error | null) => {
        finished();
        done(error === null ? null : new DiskError('sync', name, error));
      };
      fdatasync(file.fd, (error) => {
        if (error !== null || file.nameDurable) {
          end(error);
          return;
        }
        fsync(this.#folderFd, (folderError) => {
          file.nameDurable = folderError === null;
          end(folderError);
        });
      });
    });
  }

  remove(name: string, done: DiskDone): void {
    const file = this.#file(name, done);
    if (file === null) return;
    this.#enqueue(file, (finished) => {
      const end = (error: Error | null) => {
        finished();
        done(error === null ? null : new DiskError('remove', name, error));
      };
      unlink(join(this.#folder, name), (error) => {
        if (error !== null) {
          end(error);
          return;
        }
        this.#files.delete(name);
        closeSync(file.fd);
        fsync(this.#folderFd, end);
      });
    });
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /** An operation is under way. */
  get busy(): boolean {
    return [...this.#files.values()].some(({ tasks }) => tasks.length > 0);
  }

  /** Closes all files; nothing may be under way. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
    closeSync(this.#folderFd);
  }

  #enqueue(file: OpenFile, task: Task): void {
    const finished = () => {
      file.tasks.shift();
      file.tasks[0]?.(finished);
    };
    file.tasks.push(task);
    if (file.tasks.length === 1) task(finished);
  }

  #existing(name: string): OpenFile | null {
    const open = this.#files.get(name);
    if (open !== undefined) return open;
    try {
      return this.#keep(name, openSync(join(this.#folder, name), 'r+'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new DiskError('open', name, error);
    }
  }

  /** Creates the file if need be. An error goes to `done`, later, as for all else. */
  #file(name: string, done: DiskDone): OpenFile | null {
    try {
      return this.#existing(name) ?? this.#keep(name, openSync(join(this.#folder, name), 'wx+'));
    } catch (error) {
      const failure = error instanceof DiskError ? error : new DiskError('open', name, error);
      setImmediate(done, failure);
      return null;
    }
  }

  /** Whether an existing file's name is durable nobody knows: its creator may have been killed before the sync. */
  #keep(name: string, fd: number): OpenFile {
    const file = { fd, tasks: [], nameDurable: false };
    this.#files.set(name, file);
    return file;
  }
}

/** Writes everything, going on after short writes. */
function writeAll(
  fd: number,
  offset: number,
  chunks: readonly Uint8Array[],
  done: (error: Error | null) => void,
): void {
  const [first, second] = chunks;
  if (first === undefined) {
    setImmediate(done, null);
    return;
  }
  const next = (error: Error | null, written: number) => {
    if (error !== null) {
      done(error);
      return;
    }
    const left = rest(chunks, written);
    if (left.length === 0) done(null);
    else writeAll(fd, offset + written, left, done);
  };
  if (second === undefined) write(fd, first, 0, first.length, offset, next);
  else writev(fd, chunks.slice(0, CHUNKS_MAX), offset, next);
}

function rest(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (written < chunk.length) left.push(written > 0 ? chunk.subarray(written) : chunk);
    written = Math.max(0, written - chunk.length);
  }
  return left;
}
