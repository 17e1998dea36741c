import { expect, it } from 'vitest';
import { DiskRoom } from './disk-room.ts';
import { DISK_ROOM_MS } from './limits.ts';

const RESERVE_BYTES = 1_000;

it('is low below the reserve and spent below half of it, and well again only with a quarter more', () => {
  const disk = { free: 5_000, freeBytes: () => disk.free };
  const lines: string[] = [];
  const room = new DiskRoom(disk, RESERVE_BYTES, (level, text) => lines.push(`${level} ${text}`));
  let nowMs = 0;
  const look = (free: number) => {
    disk.free = free;
    nowMs += DISK_ROOM_MS;
    return [room.step(nowMs), room.isLow, room.isSpent];
  };
  expect(look(1_000)).toEqual([false, false, false]);
  expect(look(999)).toEqual([true, true, false]);
  expect(look(499)).toEqual([false, true, true]);
  expect(look(1_249)).toEqual([false, true, false]);
  expect(look(1_250)).toEqual([true, false, false]);
  expect(look(1_000)).toEqual([false, false, false]);
  expect(lines).toEqual([
    expect.stringMatching(/^error the disk is full: 999 bytes free, the reserve is 1000/),
    'info the disk has room again',
  ]);
});

it('is looked at once in a while only', () => {
  let looks = 0;
  const room = new DiskRoom({ freeBytes: () => (looks += 1) }, 0, () => {});
  for (let nowMs = 0; nowMs < 2 * DISK_ROOM_MS; nowMs += 5) room.step(nowMs);
  expect(looks).toBe(2);
});
