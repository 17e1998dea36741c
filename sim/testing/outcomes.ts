import type { Random, SimDisk } from '../disk.ts';
import type { Choose } from '../disk-file.ts';
import { SteppedDisk } from './stepped-disk.ts';

type Left = (choose: Choose) => SteppedDisk;

/**
 * The disks that a power cut could leave of `disk`, each for a future of its own: all of them if they are at most
 * `limit`, else so many drawn at random.
 */
export function* outcomesOf(disk: SimDisk, limit: number, random: Random): Generator<SteppedDisk> {
  const { count, left } = cutOf(disk);
  if (count <= limit) {
    yield* everyPath(left);
  } else {
    for (let i = 0; i < limit; i++) yield left(wholeSectors((options) => random() % options));
  }
}

/** Those in which one sector fared otherwise than all others: it was torn, or it alone was lost or kept. */
export function* oddOutcomesOf(disk: SimDisk): Generator<SteppedDisk> {
  const { left } = cutOf(disk);
  const versions: number[] = [];
  left((options, what) => {
    if (what === 'sector') versions.push(options);
    return what === 'torn' ? 0 : options - 1;
  });
  for (const others of ['lost', 'kept'] as const) {
    for (const [odd, count] of versions.entries()) {
      // The same bytes written again: only a tear that leaves neither shows. Of these a few will do.
      if (count === 1 && (others === 'lost' || odd % 8 !== 0)) continue;
      if (count > 1) yield left(allBut(odd, others, null));
      for (const tornHow of count > 1 ? [0, 1, 2] : [2]) yield left(allBut(odd, others, tornHow));
    }
  }
}

function cutOf(disk: SimDisk): { count: number; left: Left } {
  const before = new SteppedDisk(disk).disk;
  before.abandon();
  const left = (choose: Choose) => {
    const after = new SteppedDisk(before);
    after.disk.cutPower(choose);
    return after;
  };
  return { count: before.outcomes(), left };
}

/** Walks the tree of choices, leaf by leaf: each differs from the one before in the last choice that has options left. */
function* everyPath(left: Left): Generator<SteppedDisk> {
  const path: number[] = [];
  for (;;) {
    const widths: number[] = [];
    yield left(
      wholeSectors((options) => {
        const depth = widths.push(options) - 1;
        path[depth] ??= 0;
        return path[depth]!;
      }),
    );
    path.length = widths.length;
    while (path.length > 0 && path.at(-1) === widths[path.length - 1]! - 1) path.pop();
    if (path.length === 0) return;
    path[path.length - 1]! += 1;
  }
}

function wholeSectors(choose: (options: number) => number): Choose {
  return (options, what) => (what === 'torn' ? 0 : choose(options));
}

/** One sector that fares otherwise than all the others. With `tornHow` it is torn. */
function allBut(odd: number, others: 'lost' | 'kept', tornHow: number | null): Choose {
  let sector = -1;
  return (options, what) => {
    switch (what) {
      case 'sector':
        sector += 1;
        if (sector === odd) return tornHow !== null || others === 'lost' ? options - 1 : 0;
        return others === 'lost' ? 0 : options - 1;
      case 'torn':
        return sector === odd && tornHow !== null ? 1 : 0;
      case 'tornHow':
        return tornHow!;
      case 'tornAt':
        return Math.floor(options / 3);
      default:
        // Names and sizes are kept: without them there would be no sector.
        return options - 1;
    }
  };
}
