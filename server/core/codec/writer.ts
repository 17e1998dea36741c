/**
 * Writes protobuf into bytes that the caller made large enough: the *_BYTES_MAX of responses.ts bound
 * each message, and writing past the end is caught by `finish`.
 */
export class Writer {
  readonly bytes: Buffer;
  pos = 0;

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafe(capacityBytes);
  }

  finish(): Buffer {
    if (this.pos > this.bytes.length) {
      throw new Error(`codec: wrote ${this.pos} bytes into ${this.bytes.length}`);
    }
    return this.pos === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.pos);
  }

  /** Four words as big-endian bytes without leading zeros; nothing if 0. `tag` of one byte. */
  u128(tag: number, words: Uint32Array, offset: number): void {
    let top = 3;
    while (top >= 0 && words[offset + top] === 0) top -= 1;
    if (top < 0) return;
    const { bytes } = this;
    let { pos } = this;
    const first = words[offset + top]!;
    const firstBytes = 4 - (Math.clz32(first) >>> 3);
    bytes[pos] = tag;
    bytes[pos + 1] = firstBytes + (top << 2);
    pos += 2;
    for (let shift = (firstBytes - 1) << 3; shift >= 0; shift -= 8) {
      bytes[pos] = first >>> shift;
      pos += 1;
    }
    for (let i = top - 1; i >= 0; i -= 1) {
      const word = words[offset + i]!;
      bytes[pos] = word >>> 24;
      bytes[pos + 1] = word >>> 16;
      bytes[pos + 2] = word >>> 8;
      bytes[pos + 3] = word;
      pos += 4;
    }
    this.pos = pos;
  }

  /** Also if 0, for a field that may be set to it. */
  u128Set(tag: number, words: Uint32Array, offset: number): void {
    const { pos } = this;
    this.u128(tag, words, offset);
    if (this.pos > pos) return;
    this.bytes[pos] = tag;
    this.bytes[pos + 1] = 0;
    this.pos = pos + 2;
  }

  /** Two words; nothing if 0. */
  fixed64(tag: number, words: Uint32Array, offset: number): void {
    const low = words[offset]!;
    const high = words[offset + 1]!;
    if (low === 0 && high === 0) return;
    const { bytes, pos } = this;
    bytes[pos] = tag;
    bytes[pos + 1] = low;
    bytes[pos + 2] = low >>> 8;
    bytes[pos + 3] = low >>> 16;
    bytes[pos + 4] = low >>> 24;
    bytes[pos + 5] = high;
    bytes[pos + 6] = high >>> 8;
    bytes[pos + 7] = high >>> 16;
    bytes[pos + 8] = high >>> 24;
    this.pos = pos + 9;
  }

  /** Nothing if 0. */
  uint32(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.pos] = tag;
    this.pos += 1;
    this.varint(value);
  }

  /** An enum value given as 32 bits: those with the highest set are negative on the wire, 10 bytes. */
  enumValue(tag: number, value: number): void {
    if (value < 0x8000_0000) {
      this.uint32(tag, value);
      return;
    }
    this.uint32(tag, value);
    const { bytes, pos } = this;
    bytes[pos - 1]! |= 0xf0;
    bytes[pos] = 0xff;
    bytes[pos + 1] = 0xff;
    bytes[pos + 2] = 0xff;
    bytes[pos + 3] = 0xff;
    bytes[pos + 4] = 0x01;
    this.pos = pos + 5;
  }

  varint(value: number): void {
    const { bytes } = this;
    let { pos } = this;
    while (value > 0x7f) {
      bytes[pos] = value | 0x80;
      pos += 1;
      value >>>= 7;
    }
    bytes[pos] = value;
    this.pos = pos + 1;
  }

  /** Nothing if empty. */
  bytesField(tag: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.uint32(tag, value.length);
    this.bytes.set(value, this.pos);
    this.pos += value.length;
  }

  /** Starts a nested message; its length, below 16,384, is known at `close`. */
  open(tag: number): number {
    this.bytes[this.pos] = tag;
    this.pos += 2;
    return this.pos;
  }

  /** `start`: what `open` returned. Long messages move by one byte to make room for their length. */
  close(start: number): void {
    const { bytes } = this;
    const length = this.pos - start;
    if (length < 0x80) {
      bytes[start - 1] = length;
      return;
    }
    bytes.copyWithin(start + 1, start, this.pos);
    bytes[start - 1] = length | 0x80;
    bytes[start] = length >>> 7;
    this.pos += 1;
  }
}
