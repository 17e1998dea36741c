import { describe, expect, it } from 'vitest';
import { NO_MEMBERS } from '../../consensus/membership.ts';
import { nextMembers } from './members.ts';

const at = (voters: number[], learners: number[] = []) => ({ ...NO_MEMBERS, voters, learners });
const next = (
  membership: ReturnType<typeof at>,
  wanted: number[],
  close: number[] = [],
  away: number[] = [],
) => nextMembers(membership, wanted, away, (id) => close.includes(id));

describe('the next step towards the members that the registry names', () => {
  it.each([
    ['nothing to do', next(at([1, 2, 3]), [1, 2, 3]), null],
    ['a new one learns first', next(at([1, 2, 3]), [1, 2, 3, 4]), at([1, 2, 3], [4])],
    ['it waits until it is close', next(at([1, 2, 3], [4]), [1, 2, 3, 4]), null],
    ['and then votes', next(at([1, 2, 3], [4]), [1, 2, 3, 4], [4]), at([1, 2, 3, 4])],
    ['one at a time', next(at([1], [4, 5]), [1, 4, 5], [4, 5]), at([1, 4], [5])],
    ['one that is dropped goes', next(at([1, 2, 3]), [1, 2]), at([1, 2])],
    ['also while another learns', next(at([1, 2, 3], [4]), [1, 2, 4]), at([1, 2], [4])],
    [
      'but so many stay that they are a quorum of all that are wanted',
      next(at([1, 2, 3], [4, 5, 6]), [3, 4, 5, 6]),
      null,
    ],
    [
      'a dropped learner goes meanwhile',
      next(at([1, 2, 3], [4, 5, 6]), [3, 4, 5]),
      at([1, 2, 3], [4, 5]),
    ],
    [
      'though not before its place is taken',
      next(at([1, 2, 3], [4]), [1, 2, 4], [4]),
      at([1, 2, 3, 4]),
    ],
    [
      'a dropped learner goes, close or not',
      next(at([1, 2, 3], [4]), [1, 2, 3], [4]),
      at([1, 2, 3]),
    ],
    [
      'a zone that is away learns',
      next(at([1, 2, 3, 4, 5]), [1, 2, 3, 4, 5], [], [1, 2]),
      at([3, 4, 5], [1, 2]),
    ],
  ])('%s', (_, step, expected) => {
    const { voters, learners } = expected ?? {};
    expect(step).toEqual(expected === null ? null : { voters, learners });
  });
});
