import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { encodeMembership } from '../../../consensus/membership.ts';
import type { PeerMessage, RaftMessage } from '../../core/messages.ts';
import { encodeFrame, FrameDecoder, FrameError, sizeBound } from './codec.ts';

const BIG = Number.MAX_SAFE_INTEGER;
const from = 3;
const to = 70;
const entry = (index: number, payload: Uint8Array) => ({ term: 7, index, kind: 1, payload });
const bytes = (...values: number[]) => Uint8Array.from(values);

// One of each, no field left at its default: a field that the codec forgets does not come back.
const SAMPLES = {
  preVote: { type: 'preVote', from, to, term: 9, lastIndex: BIG, lastTerm: 2 ** 32 },
  preVoteReply: { type: 'preVoteReply', from, to, term: 300, granted: true },
  vote: { type: 'vote', from, to, term: 2 ** 40, lastIndex: 11, lastTerm: 12, forced: true },
  voteReply: { type: 'voteReply', from, to, term: 4, granted: true },
  append: {
    type: 'append',
    from,
    to,
    term: 5,
    prevIndex: 1,
    prevTerm: 2,
    commit: 3,
    entries: [entry(2, bytes(1, 2, 3)), entry(3, bytes()), entry(2 ** 45, bytes(255))],
  },
  appendReply: {
    type: 'appendReply',
    from,
    to,
    term: 6,
    index: 1,
    rejected: true,
    hintIndex: 128,
    hintTerm: 16_384,
  },
  timeoutNow: { type: 'timeoutNow', from, to, term: 9 },
  read: { type: 'read', from, to, term: 10, context: 24 },
  readReply: { type: 'readReply', from, to, term: 11, context: 25, index: 26 },
  snapshot: {
    type: 'snapshot',
    from,
    to,
    term: 12,
    index: 27,
    logTerm: 11,
    membership: { voters: [1, 2, 65_535], outgoing: [1, 3], learners: [4], learnersNext: [3] },
  },
  recover: { type: 'recover', from, to, term: 13, context: 28, index: 29 },
  recoverReply: { type: 'recoverReply', from, to, term: 14, context: 30, index: 31 },
} satisfies Record<RaftMessage['message']['type'], RaftMessage['message']>;

const ENVELOPE = {
  type: 'envelope',
  epoch: 2 ** 48 + 1,
  sentUs: 123_456_789_012,
  echoUs: 300,
  wallMs: 1_767_225_600_000,
  logEnd: 17,
  isSick: true,
  beats: [0, 1, 2, 0, 255, 2 ** 40, BIG, 2 ** 33],
  acks: [1, 7, 0, 2, BIG, 5],
} satisfies PeerMessage;
const REQUEST = {
  type: 'request',
  unit: 64,
  kind: 4,
  epoch: 2 ** 48 + 1,
  ref: 0xffff_ffff,
  body: bytes(9, 8, 7, 6),
} satisfies PeerMessage;
const REPLY = {
  type: 'reply',
  unit: 1,
  epoch: 2 ** 48 + 1,
  ref: 5,
  count: 8_190,
  outcome: 2,
  leader: 65_535,
  body: bytes(1),
} satisfies PeerMessage;

const COPY = {
  type: 'copy',
  unit: 3,
  kind: 5,
  session: 0xffff_ffff,
  sequence: 70_000,
  table: 9,
  crc: 0xfedc_ba98,
  body: bytes(4, 3, 2, 1),
} satisfies PeerMessage;

const peerMessages: PeerMessage[] = [
  ...Object.values(SAMPLES).map((message) => ({ type: 'raft' as const, unit: 2, message })),
  ENVELOPE,
  REQUEST,
  REPLY,
  COPY,
];
const decode = (frame: Uint8Array) => new FrameDecoder(from, to).decode(frame);

const proto = new URL('../../../proto/evenkeel/v1/peer.proto', import.meta.url);
const LaneFrame = protobuf
  .parse(readFileSync(proto, 'utf8'))
  .root.resolveAll()
  .lookupType('evenkeel.v1.LaneFrame');

/** What protobufjs, reading peer.proto, makes of a message of ours. */
function asProto(message: PeerMessage): object {
  if (message.type === 'envelope') {
    const { type, ...body } = message;
    return { [type]: body };
  }
  if (message.type !== 'raft') {
    const { type, unit, ...body } = message;
    return { unit, [type]: body };
  }
  const { type, from: _from, to: _to, term, ...body } = message.message;
  if ('membership' in body) {
    const membership = encodeMembership(body.membership);
    return { unit: message.unit, term, snapshot: { ...body, membership } };
  }
  return { unit: message.unit, term, [type]: body };
}

describe('every message', () => {
  for (const message of peerMessages) {
    const name = message.type === 'raft' ? message.message.type : message.type;
    test(`${name} comes back as it was sent`, () => {
      expect(decode(encodeFrame([message]))).toEqual([message]);
    });
    test(`${name} is on the wire what peer.proto says`, () => {
      const plain = (frame: protobuf.Message) =>
        LaneFrame.toObject(frame, { longs: Number, bytes: String, defaults: true });
      const read = plain(LaneFrame.decode(encodeFrame([message])));
      const expected = plain(LaneFrame.fromObject({ messages: [asProto(message)] }));
      expect(read).toEqual(expected);
      const written = LaneFrame.encode(LaneFrame.fromObject({ messages: [asProto(message)] }));
      expect(decode(written.finish())).toEqual([message]);
    });
  }

  test('keeps its zeroes, which the wire leaves out', () => {
    const zeroes = peerMessages.map((message) => zeroed(message));
    expect(decode(encodeFrame(zeroes))).toEqual(zeroes);
  });
});

function zeroed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (key === 'from' || key === 'to' || key === 'type') copy[key] = field;
    else if (field instanceof Uint8Array) copy[key] = new Uint8Array(0);
    else if (Array.isArray(field)) copy[key] = [];
    else if (typeof field === 'object') copy[key] = zeroed(field);
    else copy[key] = typeof field === 'boolean' ? false : 0;
  }
  return copy as T;
}

const append = (payloads: Uint8Array[]): PeerMessage => ({
  type: 'raft',
  unit: 1,
  message: { ...SAMPLES.append, entries: payloads.map((payload, i) => entry(i + 1, payload)) },
});

describe('a frame', () => {
  test('carries many messages in order', () => {
    const many = Array.from({ length: 50 }, () => peerMessages).flat();
    expect(decode(encodeFrame(many))).toEqual(many);
  });

  test('is never longer than the sum of its size bounds', () => {
    const number = fc.maxSafeNat();
    const payload = fc.uint8Array({ maxLength: 300 });
    const raft = fc
      .record({ term: number, prevIndex: number, prevTerm: number, commit: number })
      .chain((head) =>
        fc.array(fc.record({ term: number, index: number, kind: fc.nat(), payload })).map(
          (entries): PeerMessage => ({
            type: 'raft',
            unit: 65_535,
            message: { type: 'append', from, to, ...head, entries },
          }),
        ),
      );
    fc.assert(
      fc.property(raft, (message) => {
        expect(encodeFrame([message]).length).toBeLessThanOrEqual(sizeBound(message));
      }),
    );
    const worst: PeerMessage = { ...REPLY, epoch: BIG, ref: 2 ** 32 - 1, count: 2 ** 32 - 1 };
    expect(encodeFrame([worst]).length).toBeLessThanOrEqual(sizeBound(worst));
  });

  test('gives payloads that are aligned and do not refer to the receive buffer', () => {
    const payloads = [1, 5, 4, 40_000, 3, 8, 1 << 20].map((n, i) => new Uint8Array(n).fill(i + 1));
    for (const shift of [0, 1, 2, 3]) {
      const encoded = encodeFrame([append(payloads), { ...REQUEST, body: payloads[1]! }]);
      const received = new Uint8Array(encoded.length + shift).subarray(shift);
      received.set(encoded);
      const [first, second] = decode(received);
      received.fill(0);
      if (first?.type !== 'raft' || first.message.type !== 'append') throw new Error('no append');
      expect(
        first.message.entries.map((e) => Buffer.compare(e.payload, payloads[e.index - 1]!)),
      ).toEqual(payloads.map(() => 0));
      for (const { payload } of first.message.entries) {
        expect(payload.byteOffset % 4).toBe(0);
        expect(payload.buffer).not.toBe(received.buffer);
      }
      expect(second).toEqual({ ...REQUEST, body: payloads[1] });
    }
  });

  test('read piece by piece never lets one small payload keep more than a chunk alive', () => {
    const decoder = new FrameDecoder(from, to);
    for (let n = 0; n < 20; n += 1) {
      const [message] = decoder.decode(encodeFrame([append([new Uint8Array(30_000)])]));
      if (message?.type !== 'raft' || message.message.type !== 'append')
        throw new Error('no append');
      expect(message.message.entries[0]!.payload.buffer.byteLength).toBeLessThanOrEqual(64 << 10);
    }
  });
});

describe('bad bytes', () => {
  const reject = (...values: number[]) =>
    expect(() => decode(bytes(...values))).toThrow(FrameError);

  test('are refused by name: unknown fields, no body, two bodies, lengths past their end', () => {
    reject(0x1a, 0); // a third field of the frame
    reject(0x12, 0); // no body
    reject(0x12, 4, 0x62, 0, 0x62, 0); // timeoutNow twice
    reject(0x12, 9, 0x62, 0); // a message past the frame
    reject(0x12, 2, 0x62, 1); // a body past its message
    reject(0x12, 4, 0x62, 2, 0x08, 1); // a field that timeoutNow does not have
    reject(0x12, 4, 0x6a, 2, 0x18, 1); // a field that read does not have
    reject(0x12, 4, 0x52, 2, 0x4a, 0); // a list that an envelope does not have
    reject(0x12, 7, 0x52, 5, 0x3a, 3, 1, 2, 3); // beats that end within a group
    reject(0x12, 6, 0x52, 4, 0x3a, 2, 1, 0x80); // a list that ends within a number
    reject(0x12, 3, 0x62, 0, 0x08); // a number cut off
    reject(0x12, 4, 0x08, 1, 0x88, 1); // a body of number 17
  });

  test('with a number over 2^53-1 are refused', () => {
    const nines = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f];
    reject(0x12, 11, 0x10, ...nines, 0x62, 0);
    expect(decode(bytes(0x12, 11, 0x10, ...nines.with(-1, 0x0f), 0x62, 0))).toHaveLength(1);
    reject(0x12, 13, 0x10, ...nines.with(-1, 0xff), 0xff, 1, 0x62, 0);
  });

  test('cut or flipped anywhere give messages or a FrameError, never anything else', () => {
    const whole = encodeFrame(peerMessages);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const broken = cut ? whole.slice(0, at) : whole.slice();
        if (!cut) broken[at] = byte;
        try {
          decode(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a negative, fractional or too large number is never encoded', () => {
  for (const term of [-1, 0.5, 2 ** 53, Number.NaN]) {
    const message: PeerMessage = { type: 'raft', unit: 1, message: { ...SAMPLES.read, term } };
    expect(() => encodeFrame([message])).toThrow('not an unsigned integer');
  }
});
