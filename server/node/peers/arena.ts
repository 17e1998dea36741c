import { ARENA_CHUNK_BYTES, ARENA_SHARED_BYTES_MAX } from './limits.ts';

const ALIGNMENT = 8;

/**
 * Copies payloads out of a receive buffer, so that a kept payload doesn't keep the whole frame. Copies start at a
 * multiple of 8 bytes of their ArrayBuffer and may be viewed as Uint32Array. Small ones share chunks: an
 * ArrayBuffer for each would cost more than the copy.
 */
export class Arena {
  #chunk = Buffer.alloc(0);
  #used = 0;

  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (length > ARENA_SHARED_BYTES_MAX)
      return copyInto(Buffer.allocUnsafeSlow(length), 0, source, start, end);
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(ARENA_CHUNK_BYTES);
      this.#used = 0;
    }
    const copy = copyInto(this.#chunk, this.#used, source, start, end);
    this.#used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return copy;
  }
}

function copyInto(
  target: Buffer,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  const copy = new Uint8Array(target.buffer as ArrayBuffer, target.byteOffset + at, end - start);
  copy.set(source.subarray(start, end));
  return copy;
}
