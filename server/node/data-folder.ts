import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { EvenkeelError } from '../core/error.ts';
import type { LogIdentity } from '../core/log/log.ts';
import { syncFolder, writeWhole } from './whole-file.ts';

const IDENTITY_FILE = 'identity.json';
const IDENTITY_DRAFT = `${IDENTITY_FILE}.tmp`;
const LOCK_FILE = 'lock';
/** What may lie in a folder whose identity was never finished. */
const BEFORE_IDENTITY = [IDENTITY_DRAFT, LOCK_FILE, `${LOCK_FILE}-journal`, 'lost+found'];

const identitySchema = z.strictObject({
  founders: z.array(z.int().min(1)),
  clusterId: z.string().regex(/^[0-9a-f]{32}$/),
  server: z.int().min(1),
  zone: z.string().min(1),
  formatVersion: z.int().min(1),
  disk: z.string().regex(/^[0-9a-f]{32}$/),
});

type Identity = z.output<typeof identitySchema>;

/** A server's folder, held by this process alone until `release` or its death. */
export interface DataFolder {
  readonly path: string;
  /** The voters that this server began with, as said at its first start; none if it was added later. */
  readonly founders: readonly number[];
  /** Drawn when the folder was made: a wiped one comes back with another, and peers refuse it (known-disks.ts). */
  readonly disk: string;
  release(): void;
}

/**
 * Takes a data folder for this server, making it if it is new or empty.
 *
 * Thrown, with nothing changed in the folder's content:
 * - `data_folder_foreign`: it belongs to another cluster, server, zone or format, or to nobody known;
 * - `data_folder_locked`: a process holds it.
 */
export function openDataFolder(
  folder: string,
  identity: LogIdentity,
  founders: readonly number[],
): DataFolder {
  const path = resolve(folder);
  mkdirSync(path, { recursive: true });
  // Before the lock, so that a foreign folder isn't touched; and after it, since another process may just have begun.
  checkIdentity(path, identity);
  const release = lock(path);
  try {
    if (!checkIdentity(path, identity))
      writeIdentity(path, { ...identity, founders: [...founders], disk: randomId() });
    const { founders: first, disk } = readIdentity(path);
    return { path, founders: first, disk, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The cluster that a folder belongs to, or null if it is new: for a server that is told no cluster id. */
export function clusterIdOf(folder: string): string | null {
  const path = resolve(folder);
  return existsSync(join(path, IDENTITY_FILE)) ? readIdentity(path).clusterId : null;
}

export function newClusterId(): string {
  return randomId();
}

function randomId(): string {
  return randomBytes(16).toString('hex');
}

/** Syncs mean nothing there: figures measured on such a folder are not for publication. */
export function isMemoryFileSystem(path: string): boolean {
  const tmpfs = 0x01021994;
  const ramfs = 0x858458f6;
  const { type } = statfsSync(path);
  return type === tmpfs || type === ramfs;
}

/** True if the folder is this server's already, false if it is nobody's. */
function checkIdentity(path: string, own: LogIdentity): boolean {
  const names = readdirSync(path);
  if (names.includes(IDENTITY_FILE)) {
    const found = readIdentity(path);
    if (describe(found) === describe(own)) return true;
    throw foreign(`${path} belongs to ${describe(found)}, but this is ${describe(own)}`);
  }
  const strange = names.find((name) => !BEFORE_IDENTITY.includes(name));
  if (strange === undefined) return false;
  throw foreign(`${path} holds ${strange} but no ${IDENTITY_FILE}, so nobody knows whose it is`);
}

function readIdentity(path: string): Identity {
  try {
    return identitySchema.parse(JSON.parse(readFileSync(join(path, IDENTITY_FILE), 'utf8')));
  } catch (error) {
    throw foreign(`${join(path, IDENTITY_FILE)} can't be read`, error);
  }
}

function writeIdentity(path: string, identity: Identity): void {
  const { clusterId, server, zone, formatVersion, founders, disk } = identitySchema.parse(identity);
  writeWhole(path, IDENTITY_FILE, { clusterId, server, zone, formatVersion, founders, disk });
  syncFolder(join(path, '..'));
}

/**
 * Node has no file locks, SQLite has: an exclusive transaction on an otherwise empty file. The kernel ends it with the
 * process, so there is no stale lock, and it holds across containers that share the folder.
 */
function lock(path: string): () => void {
  const database = new Database(join(path, LOCK_FILE), { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const busy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
    if (!busy) throw error;
    const message = `data_folder_locked: ${path} is in use by another process; stop that one first, or use another folder`;
    throw new EvenkeelError('data_folder_locked', message, { cause: error });
  }
  return () => database.close();
}

function describe(identity: LogIdentity): string {
  const { clusterId, server, zone, formatVersion } = identity;
  return `cluster ${clusterId}, server ${server}, zone ${zone}, format ${formatVersion}`;
}

function foreign(what: string, cause?: unknown): EvenkeelError {
  const message = `data_folder_foreign: ${what}; give each server its own folder`;
  return new EvenkeelError('data_folder_foreign', message, { cause });
}
