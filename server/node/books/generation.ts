import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The file of a unit's books is its first generation, or a link to a later one that was copied from another
 * replica. A generation has a name of its own and so its own WAL: SQLite follows the link. Were it put in the
 * place of the former file, what is left of that one's WAL would be taken for part of it.
 */
export function generationFile(file: string, number: number): string {
  return join(dirname(file), `${stem(file)}.generation-${number}.sqlite`);
}

/** Puts the generation in force, by one rename: a crash leaves the one or the other. Durable when it returns. */
export function switchGeneration(file: string, generation: string): void {
  const draft = `${file}.link`;
  rmSync(draft, { force: true });
  symlinkSync(basename(generation), draft);
  // Its own name first: the link must never be durable before what it leads to.
  syncFolder(dirname(file));
  renameSync(draft, file);
  syncFolder(dirname(file));
}

/** Removes all generations that are not in force: half built ones, and former ones. */
export function dropOtherGenerations(file: string): void {
  const current = isLink(file) ? readlinkSync(file) : basename(file);
  const prefix = `${stem(file)}.generation-`;
  for (const name of readdirSync(dirname(file))) {
    const former = name.startsWith(prefix) && !name.startsWith(current);
    // Those of the first generation, once a later one is in force.
    const ofFirst =
      current !== basename(file) && [`-wal`, `-shm`].includes(name.slice(basename(file).length));
    if (former || (ofFirst && name.startsWith(basename(file))))
      rmSync(join(dirname(file), name), { force: true });
  }
}

/** Number of the one in force; 0: the first. */
export function generationOf(file: string): number {
  if (!isLink(file)) return 0;
  const number = /\.generation-(\d+)\.sqlite$/.exec(readlinkSync(file))?.[1];
  if (number === undefined) throw new Error(`${file} is a link to no generation of these books`);
  return Number(number);
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** unit-1 of unit-1.sqlite */
function stem(file: string): string {
  return basename(file, '.sqlite');
}

/** Makes the commits durable that are in the WAL alone; a checkpoint syncs what it takes out of it. */
export function syncWal(file: string): void {
  const wal = `${realpathSync(file)}-wal`;
  if (existsSync(wal)) syncPath(wal);
  syncFolder(dirname(file));
}

export function syncFolder(folder: string): void {
  syncPath(folder);
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
