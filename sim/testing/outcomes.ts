import type { Random, SimDisk } from '../disk.ts';
import type { Choose } from '../disk-file.ts';
import { SteppedDisk } from './stepped-disk.ts';

/**
 * The disks that a power cut could leave of `disk`, each for a future of its own: all of them if they are at most
 * `limit`, else so many drawn at random. Then those with exactly one sector lost, kept or torn against all others.
 */
export function* outcomesOf(disk: SimDisk, limit: number, random: Random): Generator<SteppedDisk> {
  const before = new SteppedDisk(disk).disk;
  const left = (choose: Choose) => {
    const after = new SteppedDisk(before);
    after.disk.cutPower(choose);
    return after;
  };
  if (before.outcomes() <= limit) {
    yield* everyPath(left);
  } else {
    for (let i = 0; i < limit; i++) yield left(wholeSectors((options) => random() % options));
  }
  let sectors = 0;
  left((options, what) => {
    if (what === 'sector') sectors += 1;
    return what === 'torn' ? 0 : options - 1;
  });
  for (const others of ['lost', 'kept'] as const) {
    for (let odd = 0; odd < sectors; odd++) {
      if (before.outcomes() > limit) yield left(allBut(odd, others, null));
      for (const tornHow of [0, 1, 2]) yield left(allBut(odd, others, tornHow));
    }
  }
}

/** Walks the tree of choices, leaf by leaf: each differs from the one before in the last choice that has options left. */
function* everyPath(left: (choose: Choose) => SteppedDisk): Generator<SteppedDisk> {
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
