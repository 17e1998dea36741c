// The frames of proto/evenkeel/v1/peer.proto by hand: entries of 1 MiB pass here, and frames by the thousand a
// second. codec.test.ts holds one sample a message type, checked against the .proto itself.
import protobuf, { type Reader, type Writer } from 'protobufjs/minimal.js';
import { decodeMembership, encodeMembership } from '../../../consensus/membership.ts';
import type { Append, Entry, Membership, ServerId } from '../../../consensus/types.ts';
import {
  ACK_NUMBERS,
  BEAT_NUMBERS,
  type CopyMessage,
  type EnvelopeMessage,
  type PeerMessage,
  type RaftMessage,
  type ReplyMessage,
  type RequestMessage,
} from '../../core/messages.ts';
import { Arena } from './arena.ts';
import { MESSAGE_BYTES_MAX } from './limits.ts';

/** Field numbers of the body in PeerMessage. */
const Body = {
  request: 3,
  preVote: 4,
  preVoteReply: 5,
  vote: 6,
  voteReply: 7,
  append: 8,
  appendReply: 9,
  envelope: 10,
  timeoutNow: 12,
  read: 13,
  readReply: 14,
  reply: 15,
  snapshot: 16,
  recover: 17,
  recoverReply: 18,
  copy: 19,
} as const satisfies Record<
  RaftMessage['message']['type'] | 'envelope' | 'request' | 'reply' | 'copy',
  number
>;

/** How many fields from 1 on are numbers, by body. */
const NUMBERS: readonly number[] = [0, 0, 0, 3, 2, 1, 3, 1, 3, 4, 6, 0, 0, 1, 2, 5, 2, 2, 2, 5];
const ENTRY_NUMBERS = 3;

const VARINT = 0;
const BYTES = 2;
const FRAME_MESSAGES = 2;
const APPEND_ENTRIES = 4;
const ENTRY_PAYLOAD = 4;
const REQUEST_BODY = 4;
const REPLY_BODY = 6;
const COPY_BODY = 6;
const SNAPSHOT_MEMBERSHIP = 3;
/** The one byte field of a body, if it has one. */
const BYTES_FIELDS: Readonly<Record<number, number>> = {
  [Body.request]: REQUEST_BODY,
  [Body.reply]: REPLY_BODY,
  [Body.copy]: COPY_BODY,
  [Body.snapshot]: SNAPSHOT_MEMBERSHIP,
};
const ENVELOPE_BEATS = 7;
const ENVELOPE_ACKS = 8;
/** More than the numbers of any message or entry take, with all tags and lengths around them. */
const OVERHEAD_BYTES = 80;
const ENTRY_OVERHEAD_BYTES = 32;
/** A number that fits 53 bits takes at most so many. */
const NUMBER_BYTES = 8;
const U32_MAX = 0xffff_ffff;
const EMPTY = new Uint8Array(0);

/** The bytes that a message takes in a frame, or a little more. */
export function sizeBound(message: PeerMessage): number {
  if (message.type === 'envelope') {
    return OVERHEAD_BYTES + NUMBER_BYTES * (message.beats.length + message.acks.length);
  }
  if (message.type !== 'raft') return OVERHEAD_BYTES + message.body.length;
  let bytes = OVERHEAD_BYTES;
  if (message.message.type === 'snapshot') {
    bytes += encodeMembership(message.message.membership).length;
  } else if (message.message.type === 'append') {
    for (const entry of message.message.entries) {
      bytes += ENTRY_OVERHEAD_BYTES + entry.payload.length;
    }
  }
  return bytes;
}

export function encodeFrame(messages: readonly PeerMessage[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const message of messages) {
    open(writer, FRAME_MESSAGES);
    if (message.type === 'envelope') putEnvelope(writer, message);
    else {
      putUint(writer, 1, message.unit);
      if (message.type === 'raft') putRaft(writer, message.message);
      else putOther(writer, message);
    }
    writer.ldelim();
  }
  return writer.finish();
}

function putEnvelope(writer: Writer, message: EnvelopeMessage): void {
  const { epoch, sentUs, echoUs, wallMs, logEnd, isSick } = message;
  open(writer, Body.envelope);
  putUints(writer, [epoch, sentUs, echoUs, wallMs, logEnd, Number(isSick)]);
  putPacked(writer, ENVELOPE_BEATS, message.beats);
  putPacked(writer, ENVELOPE_ACKS, message.acks);
  writer.ldelim();
}

function putOther(writer: Writer, message: RequestMessage | ReplyMessage | CopyMessage): void {
  open(writer, Body[message.type]);
  if (message.type === 'request') {
    putUints(writer, [message.kind, message.epoch, message.ref]);
    putBytes(writer, REQUEST_BODY, message.body);
  } else if (message.type === 'copy') {
    const { kind, session, sequence, table, crc } = message;
    putUints(writer, [kind, session, sequence, table, crc]);
    putBytes(writer, COPY_BODY, message.body);
  } else {
    const { epoch, ref, count, outcome, leader } = message;
    putUints(writer, [epoch, ref, count, outcome, leader]);
    putBytes(writer, REPLY_BODY, message.body);
  }
  writer.ldelim();
}

function putRaft(writer: Writer, message: RaftMessage['message']): void {
  putUint(writer, 2, message.term);
  open(writer, Body[message.type]);
  putUints(writer, numbersOf(message));
  if (message.type === 'append') {
    for (const entry of message.entries) {
      open(writer, APPEND_ENTRIES);
      putUints(writer, [entry.term, entry.index, entry.kind]);
      putBytes(writer, ENTRY_PAYLOAD, entry.payload);
      writer.ldelim();
    }
  } else if (message.type === 'snapshot') {
    putBytes(writer, SNAPSHOT_MEMBERSHIP, encodeMembership(message.membership));
  }
  writer.ldelim();
}

/** Fields 1, 2 and so on of a consensus message: all of it but an append's entries and a snapshot's membership. */
function numbersOf(message: RaftMessage['message']): readonly number[] {
  switch (message.type) {
    case 'preVote':
      return [message.lastIndex, message.lastTerm];
    case 'vote':
      return [message.lastIndex, message.lastTerm, Number(message.forced)];
    case 'preVoteReply':
    case 'voteReply':
      return [Number(message.granted)];
    case 'append':
      return [message.prevIndex, message.prevTerm, message.commit];
    case 'appendReply': {
      const { index, rejected, hintIndex, hintTerm } = message;
      return [index, Number(rejected), hintIndex, hintTerm];
    }
    case 'timeoutNow':
      return [];
    case 'read':
      return [message.context];
    case 'readReply':
    case 'recover':
    case 'recoverReply':
      return [message.context, message.index];
    case 'snapshot':
      return [message.index, message.logTerm];
  }
}

function open(writer: Writer, field: number): void {
  writer.uint32((field << 3) | BYTES).fork();
}

function putUints(writer: Writer, values: readonly number[]): void {
  for (let i = 0; i < values.length; i += 1) putUint(writer, i + 1, values[i]!);
}

function putUint(writer: Writer, field: number, value: number): void {
  if (value === 0) return;
  writer.uint32((field << 3) | VARINT);
  putVarint(writer, value);
}

function putPacked(writer: Writer, field: number, values: readonly number[]): void {
  if (values.length === 0) return;
  open(writer, field);
  for (const value of values) putVarint(writer, value);
  writer.ldelim();
}

function putVarint(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`not an unsigned integer: ${value}`);
  if (value <= U32_MAX) writer.uint32(value);
  else writer.uint64(value);
}

function putBytes(writer: Writer, field: number, value: Uint8Array): void {
  if (value.length > 0) writer.uint32((field << 3) | BYTES).bytes(value);
}

/** What a peer sent is not a frame of ours: its stream ends. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Numbers of the message being read, by field; field 0 stays unused. */
type Fields = number[];

/**
 * Reads the frames of one stream. Payloads are copies, aligned to be viewed as Uint32Array; nothing that is
 * returned refers to the receive buffer.
 */
export class FrameDecoder {
  readonly #from: ServerId;
  readonly #to: ServerId;
  readonly #arena = new Arena();
  /** Of the message being read: its one byte field, if it has one. */
  #bytes: Uint8Array = EMPTY;

  constructor(from: ServerId, to: ServerId) {
    this.#from = from;
    this.#to = to;
  }

  /** All messages of a frame, in order. Throws FrameError, and then returns none of them. */
  decode(frame: Uint8Array): PeerMessage[] {
    const reader = protobuf.Reader.create(frame);
    const messages: PeerMessage[] = [];
    while (reader.pos < reader.len) {
      const tag = uint(reader);
      if (tag !== ((FRAME_MESSAGES << 3) | BYTES)) throw unknownField('LaneFrame', tag);
      messages.push(this.#message(reader, endOf(reader, reader.len)));
    }
    return messages;
  }

  #message(reader: Reader, end: number): PeerMessage {
    let unit = 0;
    let term = 0;
    let body = 0;
    let start = 0;
    while (reader.pos < end) {
      const tag = uint(reader);
      if (tag === 8) unit = uint(reader);
      else if (tag === 16) term = uint(reader);
      else if ((tag & 7) === BYTES && tag >>> 3 >= Body.request && tag >>> 3 <= Body.copy) {
        if (body !== 0) throw new FrameError('PeerMessage has two bodies');
        body = tag >>> 3;
        start = reader.pos;
        reader.pos = endOf(reader, end);
      } else throw unknownField('PeerMessage', tag);
    }
    if (reader.pos !== end) throw new FrameError('a field passes the end of its message');
    // The body is read after the whole message, since the unit and term may follow it.
    reader.pos = start;
    const message = this.#body(reader, body, unit, term);
    reader.pos = end;
    return message;
  }

  #body(reader: Reader, body: number, unit: number, term: number): PeerMessage {
    if (body === 0) throw new FrameError('PeerMessage has no body');
    const end = endOf(reader, reader.len);
    if (body === Body.append) {
      return { type: 'raft', unit, message: this.#append(reader, end, term) };
    }
    if (body === Body.envelope) return this.#envelope(reader, end);
    const f = this.#fields(reader, end, NUMBERS[body]!, BYTES_FIELDS[body] ?? 0);
    if (body === Body.request) {
      return { type: 'request', unit, kind: f[1]!, epoch: f[2]!, ref: f[3]!, body: this.#bytes };
    }
    if (body === Body.copy) {
      const [, kind, session, sequence, table, crc] = f as [
        0,
        number,
        number,
        number,
        number,
        number,
      ];
      return { type: 'copy', unit, kind, session, sequence, table, crc, body: this.#bytes };
    }
    if (body === Body.reply) {
      const [, epoch, ref, count, outcome, leader] = f as [
        0,
        number,
        number,
        number,
        number,
        number,
      ];
      return { type: 'reply', unit, epoch, ref, count, outcome, leader, body: this.#bytes };
    }
    return { type: 'raft', unit, message: this.#raft(body, term, f) };
  }

  #raft(body: number, term: number, f: Fields): RaftMessage['message'] {
    const from = this.#from;
    const to = this.#to;
    switch (body) {
      case Body.preVote:
        return { type: 'preVote', from, to, term, lastIndex: f[1]!, lastTerm: f[2]! };
      case Body.preVoteReply:
        return { type: 'preVoteReply', from, to, term, granted: f[1] !== 0 };
      case Body.vote: {
        const forced = f[3] !== 0;
        return { type: 'vote', from, to, term, lastIndex: f[1]!, lastTerm: f[2]!, forced };
      }
      case Body.voteReply:
        return { type: 'voteReply', from, to, term, granted: f[1] !== 0 };
      case Body.appendReply: {
        const rejected = f[2] !== 0;
        const [, index, , hintIndex, hintTerm] = f as [0, number, number, number, number];
        return { type: 'appendReply', from, to, term, index, rejected, hintIndex, hintTerm };
      }
      case Body.timeoutNow:
        return { type: 'timeoutNow', from, to, term };
      case Body.read:
        return { type: 'read', from, to, term, context: f[1]! };
      case Body.readReply:
        return { type: 'readReply', from, to, term, context: f[1]!, index: f[2]! };
      case Body.recover:
        return { type: 'recover', from, to, term, context: f[1]!, index: f[2]! };
      case Body.recoverReply:
        return { type: 'recoverReply', from, to, term, context: f[1]!, index: f[2]! };
      case Body.snapshot: {
        const membership = membershipOf(this.#bytes);
        return { type: 'snapshot', from, to, term, index: f[1]!, logTerm: f[2]!, membership };
      }
      default:
        throw new FrameError(`no message has number ${body}`);
    }
  }

  #envelope(reader: Reader, end: number): EnvelopeMessage {
    const lists: [number[], number[]] = [[], []];
    const f = this.#fields(reader, end, NUMBERS[Body.envelope]!, 0, undefined, lists);
    const [, epoch, sentUs, echoUs, wallMs, logEnd, isSick] = f as [
      0,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const [beats, acks] = lists;
    if (beats.length % BEAT_NUMBERS !== 0 || acks.length % ACK_NUMBERS !== 0) {
      throw new FrameError('an envelope ends within a group');
    }
    return {
      type: 'envelope',
      epoch,
      sentUs,
      echoUs,
      wallMs,
      logEnd,
      isSick: isSick !== 0,
      beats,
      acks,
    };
  }

  #append(reader: Reader, end: number, term: number): Append {
    const entries: Entry[] = [];
    const f = this.#fields(reader, end, NUMBERS[Body.append]!, 0, entries);
    const [, prevIndex, prevTerm, commit] = f as [0, number, number, number];
    const from = this.#from;
    const to = this.#to;
    return { type: 'append', from, to, term, prevIndex, prevTerm, commit, entries };
  }

  /**
   * Reads up to `end`: numbers in fields 1..numbers, bytes in `bytesField` (0 = none), an append's entries, an
   * envelope's lists.
   */
  #fields(
    reader: Reader,
    end: number,
    numbers: number,
    bytesField: number,
    entries?: Entry[],
    lists?: readonly [number[], number[]],
  ): Fields {
    const fields: Fields = [0, 0, 0, 0, 0, 0, 0];
    this.#bytes = EMPTY;
    while (reader.pos < end) {
      const tag = uint(reader);
      const field = tag >>> 3;
      if ((tag & 7) === VARINT && field > 0 && field <= numbers) fields[field] = uint(reader);
      else if (tag === ((bytesField << 3) | BYTES) && bytesField !== 0) {
        const bytesEnd = endOf(reader, end);
        this.#bytes = this.#arena.copy(frameOf(reader), reader.pos, bytesEnd);
        reader.pos = bytesEnd;
      } else if (tag === ((APPEND_ENTRIES << 3) | BYTES) && entries !== undefined) {
        const f = this.#fields(reader, endOf(reader, end), ENTRY_NUMBERS, ENTRY_PAYLOAD);
        entries.push({ term: f[1]!, index: f[2]!, kind: f[3]!, payload: this.#bytes });
      } else if (lists !== undefined && (tag & 7) === BYTES && field >= ENVELOPE_BEATS) {
        const list = lists[field - ENVELOPE_BEATS];
        if (list === undefined) throw unknownField('Envelope', tag);
        readPacked(reader, endOf(reader, end), list);
      } else throw unknownField('body', tag);
    }
    if (reader.pos !== end) throw new FrameError('a field passes the end of its message');
    return fields;
  }
}

function membershipOf(bytes: Uint8Array): Membership {
  try {
    return decodeMembership(bytes);
  } catch (cause) {
    throw new FrameError('a snapshot without a legal membership', { cause });
  }
}

function readPacked(reader: Reader, end: number, into: number[]): void {
  while (reader.pos < end) into.push(uint(reader));
  if (reader.pos !== end) throw new FrameError('a number passes the end of its list');
}

function frameOf(reader: Reader): Uint8Array {
  return reader.buf as Uint8Array;
}

/** Reads a length and returns where the part ends, which may not be past `limit`. */
function endOf(reader: Reader, limit: number): number {
  const length = uint(reader);
  const end = reader.pos + length;
  if (length > MESSAGE_BYTES_MAX || end > limit) throw new FrameError('a length passes its end');
  return end;
}

/** An unsigned varint up to 2^53-1, as a plain number: Reader.uint64() would make an object of each. */
function uint(reader: Reader): number {
  const buffer = frameOf(reader);
  let value = 0;
  let scale = 1;
  for (;;) {
    if (reader.pos >= reader.len) throw new FrameError('a number passes the end of the frame');
    const byte = buffer[reader.pos]!;
    reader.pos += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
    if (scale > 2 ** 49) throw new FrameError('a number has more than 53 bits');
  }
  if (value > Number.MAX_SAFE_INTEGER) throw new FrameError('a number has more than 53 bits');
  return value;
}

function unknownField(where: string, tag: number): FrameError {
  return new FrameError(`${where}: unknown field ${tag >>> 3} of wire type ${tag & 7}`);
}
