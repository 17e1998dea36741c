import { votersOnly } from '../../consensus/membership.ts';
import type { Entry } from '../../consensus/types.ts';
import type { LogOptions } from '../../server/core/log/log.ts';
import type { LogRun } from './log-run.ts';

/** Small, so that a short run fills several segments. */
export const SHORT_LOG: LogOptions = { segmentBytes: 12_288 + 5 * 4096, cacheBytes: 600 };

/** A short life with all that a log does. Yields where the power may go. */
export function* shortRun(run: LogRun): Generator<void> {
  function* flush(): Generator<void> {
    yield;
    run.flush();
    yield;
    while (run.complete()) yield;
  }
  run.write({ unit: 1, hard: { term: 1, vote: 2, commit: 0 } });
  yield* flush();
  run.write({ unit: 1, entry: entry(1, 1, 40) });
  run.write({ unit: 2, entry: entry(1, 1, 9) });
  yield* flush();
  // A flush right behind another, before its closing mark is on disk.
  run.write({ unit: 1, entry: entry(1, 2, 200) });
  run.flush();
  while (run.log.flushing && run.complete()) yield;
  run.write({ unit: 1, hard: { term: 1, vote: 2, commit: 1 } });
  run.write({ unit: 3, hard: { term: 4, vote: 1, commit: 0 } });
  run.flush();
  run.write({ unit: 1, entry: entry(1, 3, 10) }); // while it is under way
  while (run.complete()) yield;
  yield* flush();
  // Truncation: a new leader's entry takes the place of two.
  run.write({ unit: 1, hard: { term: 2, vote: 0, commit: 1 } });
  run.write({ unit: 1, entry: entry(2, 2, 33) });
  yield* flush();
  // Many sectors in one flush, which does not fit: the next segment begins.
  run.write({ unit: 2, entry: entry(1, 2, 3_500) });
  run.write({ unit: 2, hard: { term: 1, vote: 3, commit: 2 } });
  yield* flush();
  // The second record ends with its block, as a flush may: the third must not follow if the second is lost.
  run.write({ unit: 2, entry: entry(1, 3, 40) });
  run.write({ unit: 2, entry: entry(1, 4, 4096 - 32 - 72) });
  run.write({ unit: 3, hard: { term: 5, vote: 0, commit: 0 } });
  yield* flush();
  // Two segments in one flush.
  run.write({ unit: 3, entry: entry(5, 1, 2_000) });
  run.write({ unit: 1, entry: entry(2, 3, 7_000) });
  run.write({ unit: 1, entry: entry(2, 4, 7_000) });
  run.write({ unit: 1, hard: { term: 3, vote: 1, commit: 3 } });
  yield* flush();
  run.write({ unit: 1, entry: entry(3, 4, 1) });
  yield* flush();
  // The books hold what is committed; another unit's are replaced by what its leader has.
  run.write({ unit: 1, compact: { index: 3, term: 2, membership: votersOnly([1, 2, 3]) } });
  run.write({ unit: 2, reset: { index: 9, term: 2, membership: votersOnly([2, 3, 4]) } });
  yield* flush();
  run.write({ unit: 2, entry: entry(2, 10, 5) });
  run.write({ unit: 2, hard: { term: 2, vote: 1, commit: 10 } });
  run.write({ unit: 1, entry: entry(3, 5, 5) });
  yield* flush();
}

function entry(term: number, index: number, payloadBytes: number): Entry {
  const payload = Uint8Array.from({ length: payloadBytes }, (_, i) => 1 + ((i + index) % 251));
  return { term, index, kind: 1, payload };
}
