import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a small JSON file, durably: it is there whole or not at all, whenever the power goes. */
export function writeWhole(folder: string, name: string, value: unknown): void {
  const draft = join(folder, `${name}.tmp`);
  const fd = openSync(draft, 'w');
  writeSync(fd, `${JSON.stringify(value, null, 2)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(draft, join(folder, name));
  syncFolder(folder);
}

export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
