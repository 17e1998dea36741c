import { expect, test } from 'vitest';
import { encodeMembership, votersOnly } from '../../../consensus/membership.ts';
import { SLOT_COUNT } from '../../../ledger/layout.ts';
import type { BooksState } from '../books-copy.ts';
import { asciiBytes, asciiText, decodeState, encodeState } from './state-text.ts';

const STATE: BooksState = {
  unit: 3,
  index: 2 ** 52,
  term: 7,
  lastTimestamp: 2n ** 63n - 1n,
  lastRowTimestamp: 5n,
  digest: '0123456789abcdef',
  transferCount: 1,
  requestedCount: 2,
  burntCount: 3,
  decisionCount: 4,
  rowSum: 2 ** 48 - 1,
  burntSum: 5,
  membership: encodeMembership(votersOnly([1, 2, 3])),
  slots: Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => 65_535 - slot),
};

test('a state comes back as it was', () => {
  expect(decodeState(encodeState(STATE))).toEqual(STATE);
  const empty = { ...STATE, membership: null, slots: null };
  expect(decodeState(encodeState(empty))).toEqual(empty);
});

test('what is no state is told from one, whatever the sender', () => {
  const sound = JSON.parse(asciiText(encodeState(STATE))) as Record<string, unknown>;
  const bad: [string, unknown][] = [
    ['index', -1],
    ['term', 1.5],
    ['rowSum', '7'],
    ['burntCount', null],
    ['lastTimestamp', 12],
    ['lastRowTimestamp', '-1'],
    ['digest', '0123'],
    ['membership', [1, 2, 3]],
    ['membership', 'none'],
    ['slots', [1, 2]],
    ['slots', Array(SLOT_COUNT).fill(65_536)],
  ];
  for (const [name, value] of bad) {
    const text = JSON.stringify({ ...sound, [name]: value });
    expect(decodeState(asciiBytes(text)), name).toBe(null);
  }
  for (const text of ['', 'null', '[]', '{}', '{"unit":']) {
    expect(decodeState(asciiBytes(text))).toBe(null);
  }
});
