import { EvenkeelError } from '../error.ts';

/**
 * Reads protobuf bytes that anyone may have sent: every length and position is checked, nothing
 * recurses, and each refusal is an EvenkeelError 'invalid_request' that names field and event.
 */
export class Reader {
  readonly bytes: Uint8Array;
  pos = 0;
  /** Where the message being read ends: the whole, or one event of it. */
  end: number;

  #tag = 0;
  /** Name of the repeated field and index of the event being read; -1 = outside of events. */
  #event = -1;
  #list = '';
  #names: readonly string[];

  /** `names`: of the fields by number, for the text of errors. */
  constructor(bytes: Uint8Array, names: readonly string[]) {
    this.bytes = bytes;
    this.end = bytes.length;
    this.#names = names;
  }

  /** From now on it reads event `index` of the field `list`: the next length and as many bytes. */
  enterEvent(list: string, index: number, names: readonly string[]): void {
    this.end = this.length();
    this.#list = list;
    this.#event = index;
    this.#names = names;
    this.#tag = 0;
  }

  leaveEvent(names: readonly string[]): void {
    this.#event = -1;
    this.#names = names;
    this.end = this.bytes.length;
  }

  /** Field number << 3 | wire type. */
  tag(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (byte < 0x80) {
      this.pos += 1;
      this.#tag = byte;
    } else {
      this.#tag = 0;
      this.#tag = this.varint();
    }
    return this.#tag;
  }

  /** A varint of at most 32 bits. Up to 5 bytes: some encoders pad lengths. */
  varint(): number {
    const { bytes, end } = this;
    let { pos } = this;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (pos >= end) this.fail('truncated');
      const byte = bytes[pos]!;
      pos += 1;
      if (shift === 28 && (byte & 0x7f) > 0x0f) this.fail('more than 32 bits');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.pos = pos;
        return value >>> 0;
      }
    }
    return this.fail('varint of more than 5 bytes');
  }

  uint16(): number {
    const value = this.varint();
    if (value > 0xffff) this.fail(`${value}, at most 65535`);
    return value;
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  /** Reads a length and returns where that many bytes end. */
  length(): number {
    const length = this.varint();
    const end = this.pos + length;
    if (end > this.end)
      this.fail(`truncated: ${length} bytes announced, ${this.end - this.pos} left`);
    return end;
  }

  /** UTF-8. */
  string(): string {
    const end = this.length();
    const bytes = this.bytes.subarray(this.pos, end);
    this.pos = end;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.fail('not UTF-8');
    }
  }

  /** Big-endian bytes, at most 16, into four words. */
  u128(words: Uint32Array, offset: number): void {
    const end = this.length();
    const { bytes, pos } = this;
    const length = end - pos;
    this.pos = end;
    if (length === 16) {
      words[offset + 3] = word(bytes, pos);
      words[offset + 2] = word(bytes, pos + 4);
      words[offset + 1] = word(bytes, pos + 8);
      words[offset] = word(bytes, pos + 12);
      return;
    }
    if (length > 16) this.fail(`${length} bytes, at most 16`);
    words[offset] = 0;
    words[offset + 1] = 0;
    words[offset + 2] = 0;
    words[offset + 3] = 0;
    for (let i = 0; i < length; i += 1) {
      words[offset + (i >> 2)]! |= bytes[end - 1 - i]! << ((i & 3) << 3);
    }
  }

  /** A copy. */
  bytesField(): Uint8Array {
    const end = this.length();
    const bytes = Uint8Array.from(this.bytes.subarray(this.pos, end));
    this.pos = end;
    return bytes;
  }

  /** Eight bytes, least significant first, into two words. */
  fixed64(words: Uint32Array, offset: number): void {
    const { bytes, pos } = this;
    if (pos + 8 > this.end) this.fail('truncated');
    words[offset] = wordLittleEndian(bytes, pos);
    words[offset + 1] = wordLittleEndian(bytes, pos + 4);
    this.pos = pos + 8;
  }

  /** For the last read tag, when it is none of those expected. `wireTypes`: by field number. */
  refuseTag(wireTypes: readonly number[]): never {
    const field = this.#tag >>> 3;
    const expected = wireTypes[field];
    if (expected === SET_BY_LEDGER) this.fail('set by the ledger; leave it out');
    if (field === 0 || expected === undefined || expected < 0) {
      const where = this.#path(false);
      throw invalid(`${where === '' ? '' : `${where}: `}unknown field ${field}`);
    }
    return this.fail(`wire type ${this.#tag & 7}, expected ${expected}`);
  }

  fail(reason: string): never {
    const path = this.#path(true);
    throw invalid(path === '' ? reason : `${path}: ${reason}`);
  }

  #path(withField: boolean): string {
    const name = withField ? (this.#names[this.#tag >>> 3] ?? '') : '';
    if (this.#event < 0) return name;
    const event = `${this.#list}[${this.#event}]`;
    return name === '' ? event : `${event}.${name}`;
  }
}

/** Among wire types: a field that requests must not have. */
export const SET_BY_LEDGER = -2;

export function invalid(message: string): EvenkeelError {
  return new EvenkeelError('invalid_request', message);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function wordLittleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
