import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServerId } from '../../consensus/types.ts';
import { EvenkeelError } from '../core/error.ts';
import { OTHER_DISK } from './peers/handshake.ts';
import { writeWhole } from './whole-file.ts';

const FILE = 'peer-disks.json';

const schema = z.record(z.string().regex(/^[1-9]\d*$/), z.string().regex(/^[0-9a-f]{32}$/));

/**
 * Which disk each peer came with when this server first met it, in its data folder. A peer whose disk was wiped has
 * forgotten its votes and what it acknowledged, so a quorum that counts it could lose what another has committed: under
 * its old id it is never heard again (C142).
 */
export class KnownDisks {
  readonly #folder: string;
  readonly #disks: Map<string, string>;

  /** Throws `data_folder_foreign` if the file can't be read: then nobody could be told from a wiped one. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#disks = new Map(Object.entries(read(join(folder, FILE))));
  }

  /** Null if the peer is as it was; one that is met for the first time is remembered, durably, before this returns. */
  refusalOf(peer: ServerId, disk: string): string | null {
    const known = this.#disks.get(`${peer}`);
    if (known === disk) return null;
    if (known !== undefined)
      return `${OTHER_DISK}: server ${peer} came with disk ${known} before and has ${disk} now; what it had promised is gone. Remove it ('evenkeel member remove') and add it under a new id`;
    if (disk === '') return `no disk: server ${peer} does not say which one it has`;
    const disks = { ...Object.fromEntries(this.#disks), [`${peer}`]: disk };
    try {
      writeWhole(this.#folder, FILE, disks);
    } catch (error) {
      // On a full disk, say. It asks again, and this server is of use to those that it knows.
      return `the disk of server ${peer} can't be noted: ${(error as Error).message}`;
    }
    this.#disks.set(`${peer}`, disk);
    return null;
  }
}

function read(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new EvenkeelError('data_folder_foreign', `data_folder_foreign: ${path} can't be read`, {
      cause,
    });
  }
}
