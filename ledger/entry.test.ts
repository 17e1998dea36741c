import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asEntryWords,
  completeSubBatch,
  createAccountsSubBatch,
  createTransfersSubBatch,
  decideSubBatch,
  EntryBuilder,
  eventCount,
  expireSubBatch,
  MalformedEntryError,
  readEntry,
  unitInitSubBatch,
} from './entry.ts';
import { InvariantError } from './invariant.ts';
import {
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_WORDS,
  EntryWord,
  EVENTS_PER_REQUEST_MAX,
  RECORD_WORDS,
  SLOT_COUNT,
  SUB_BATCH_HEADER_WORDS,
  SubBatchKind,
} from './layout.ts';
import { accountOf, packAccounts, packTransfers, transferOf } from './testing/records.ts';

const RECORD = packTransfers([transferOf({ timestamp: 9n })]);
const SLOTS = new Uint16Array(SLOT_COUNT).fill(3);

function entryOf(...subBatches: Uint32Array[]): Uint32Array {
  const builder = new EntryBuilder();
  for (const subBatch of subBatches) builder.add(subBatch);
  return asEntryWords(builder.finish(1_000n));
}

function oneOfEach(): Uint32Array {
  return entryOf(
    unitInitSubBatch(3, SLOTS),
    createAccountsSubBatch(packAccounts([accountOf({}), accountOf({})]), 2, 1),
    createTransfersSubBatch(RECORD, 1),
    decideSubBatch(2, 4, 0, [{ sequenceLo: 5, sequenceHi: 0, record: RECORD }]),
    completeSubBatch(4, [
      { sequenceLo: 1, sequenceHi: 0, status: 7 },
      { sequenceLo: 2, sequenceHi: 0, status: 8 },
    ]),
  );
}

describe('an entry', () => {
  it('is read as it was built', () => {
    const payload = oneOfEach();
    const entry = readEntry(payload);
    expect(entry).toMatchObject({ timestampLo: 1_000, timestampHi: 0, eventCount: 6 });
    expect(
      entry.subBatches.map(({ kind, flags, count, unit }) => [kind, flags, count, unit]),
    ).toEqual([
      [SubBatchKind.unitInit, 0, 0, 3],
      [SubBatchKind.createAccounts, 1, 2, 0],
      [SubBatchKind.createTransfers, 0, 1, 0],
      [SubBatchKind.decide, 0, 1, 2],
      [SubBatchKind.complete, 0, 2, 4],
    ]);
    const { bodyAt } = entry.subBatches[2]!;
    expect(payload.slice(bodyAt, bodyAt + RECORD_WORDS)).toEqual(RECORD);
    expect(eventCount(payload)).toBe(6);
  });

  it('holds a full request', () => {
    const records = new Uint32Array(EVENTS_PER_REQUEST_MAX * RECORD_WORDS);
    const payload = entryOf(createTransfersSubBatch(records, EVENTS_PER_REQUEST_MAX));
    expect(payload.byteLength).toBeLessThanOrEqual(ENTRY_BYTES_MAX);
    expect(eventCount(payload)).toBe(EVENTS_PER_REQUEST_MAX);
  });

  it('is not built longer than the log takes', () => {
    const builder = new EntryBuilder();
    for (let i = 0; i < 2; i += 1) {
      builder.add(createTransfersSubBatch(new Uint32Array(5_000 * RECORD_WORDS), 5_000));
    }
    expect(() => builder.finish(1n)).toThrow(InvariantError);
  });

  it('is read from bytes at any offset', () => {
    const bytes = new Uint8Array(oneOfEach().buffer);
    for (const offset of [0, 1, 2, 3, 4]) {
      const shifted = new Uint8Array(bytes.length + offset);
      shifted.set(bytes, offset);
      expect(asEntryWords(shifted.subarray(offset))).toEqual(oneOfEach());
    }
  });
});

describe('a malformed entry is refused', () => {
  const sub = (n: number, word: number) => ENTRY_HEADER_WORDS + n + word;
  const oneTransfer = () => entryOf(createTransfersSubBatch(RECORD, 1));
  const changed = (payload: Uint32Array, at: number, value: number) => {
    payload[at] = value;
    return payload;
  };
  const decideAt = ENTRY_HEADER_WORDS + SUB_BATCH_HEADER_WORDS;

  it.each<[string, () => Uint32Array, string]>([
    ['empty', () => new Uint32Array(0), 'no whole header'],
    ['another version', () => changed(oneTransfer(), EntryWord.version, 1), 'version is 1'],
    ['too long', () => new Uint32Array(ENTRY_BYTES_MAX / 4 + 1), 'bytes'],
    ['a sub-batch missing', () => changed(oneTransfer(), EntryWord.subBatchCount, 2), 'cut off'],
    [
      'a sub-batch too many',
      () => changed(oneTransfer(), EntryWord.subBatchCount, 0),
      'end at word',
    ],
    ['no timestamp', () => changed(oneTransfer(), EntryWord.timestamp, 0), 'out of range'],
    ['a timestamp past 2^63', () => changed(oneTransfer(), 3, 0x8000_0000), 'out of range'],
    ['an unknown kind', () => changed(oneTransfer(), sub(0, 0), 7), 'of kind 7'],
    ['kind zero', () => changed(oneTransfer(), sub(0, 0), 0), 'of kind 0'],
    ['an unknown flag', () => changed(oneTransfer(), sub(0, 0), 3 | (4 << 16)), 'flags 4'],
    [
      'an import by a unit',
      () => changed(entryOf(completeSubBatch(2, [])), sub(0, 0), 5 | (2 << 16)),
      'flags 2',
    ],
    [
      'an expiry in the name of a unit',
      () => changed(entryOf(expireSubBatch(new Uint32Array(4))), sub(0, 3), 1),
      'names unit 1',
    ],
    ['a count too high', () => changed(oneTransfer(), sub(0, 1), 2), 'does not have 64 words'],
    ['far too many events', () => changed(oneTransfer(), sub(0, 1), 8_191), '8191 events'],
    ['a body too short', () => changed(oneTransfer(), sub(0, 2), 31), 'does not have 32 words'],
    ['a body cut off', () => oneTransfer().slice(0, -1), 'does not have 32 words'],
    ["a unit in a client's events", () => changed(oneTransfer(), sub(0, 3), 1), 'names unit 1'],
    ['a decide of nobody', () => entryOf(decideSubBatch(0, 0, 0, [])), 'names unit 0'],
    ['a unit past the last', () => entryOf(completeSubBatch(65_536, [])), 'names unit 65536'],
    [
      'sequence zero',
      () => entryOf(completeSubBatch(2, [{ sequenceLo: 0, sequenceHi: 0, status: 1 }])),
      'sequence',
    ],
    [
      'a sequence past 2^53',
      () =>
        entryOf(decideSubBatch(2, 0, 0, [{ sequenceLo: 0, sequenceHi: 1 << 21, record: RECORD }])),
      'sequence',
    ],
    [
      'finished past 2^53',
      () => changed(entryOf(decideSubBatch(2, 0, 0, [])), decideAt + 1, 1 << 21),
      'sequence',
    ],
    [
      'a slot of the registry',
      () =>
        entryOf(
          unitInitSubBatch(
            1,
            Uint16Array.from(SLOTS, (owner, i) => (i === 9 ? 0 : owner)),
          ),
        ),
      'registry',
    ],
    [
      'unitInit with events',
      () => changed(entryOf(unitInitSubBatch(1, SLOTS)), sub(0, 1), 1),
      'unitInit',
    ],
  ])('%s', (_what, payload, message) => {
    expect(() => readEntry(payload())).toThrow(MalformedEntryError);
    expect(() => readEntry(payload())).toThrow(message);
  });

  it('bytes that are no whole words', () => {
    expect(() => asEntryWords(new Uint8Array(17))).toThrow(MalformedEntryError);
  });

  it('any cut and any garbage, without another kind of error', () => {
    const whole = oneOfEach();
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => readEntry(whole.slice(0, length))).toThrow(MalformedEntryError);
    }
    const headers = [0, 1, 4, 5, 6, 7];
    fc.assert(
      fc.property(fc.constantFrom(...headers), fc.integer(), (at, value) => {
        const payload = changed(oneOfEach(), at, value);
        try {
          readEntry(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedEntryError);
        }
      }),
    );
  });
});
