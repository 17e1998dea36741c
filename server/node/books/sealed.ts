import { BurntRowWord, WORD_BYTES } from '../../../ledger/layout.ts';
import { crc32OfWords } from './crc32.ts';

/** Each row with its CRC-32 behind it, as the small tables keep it. */
export function sealRows(rows: Uint32Array, rowWords: number): Uint32Array {
  const count = rows.length / rowWords;
  const sealed = new Uint32Array(count * (rowWords + 1));
  for (let row = 0; row < count; row++) {
    const from = row * rowWords;
    const to = row * (rowWords + 1);
    sealed.set(rows.subarray(from, from + rowWords), to);
    sealed[to + rowWords] = crc32OfWords(rows, from, rowWords);
  }
  return sealed;
}

/** The words of a sealed row, null if its CRC doesn't match. */
export function unsealRow(blob: Uint8Array, rowWords: number): Uint32Array | null {
  if (blob.byteLength !== (rowWords + 1) * WORD_BYTES) return null;
  const words = wordsOf(blob);
  if (crc32OfWords(words, 0, rowWords) !== words[rowWords]) return null;
  return words.subarray(0, rowWords);
}

/** The id and the timestamp of a burnt row. */
const BURNT_SEALED_WORDS = BurntRowWord.timestamp + 2;

/** What transfer_id.burnt holds for the burnt row at `at`. */
export function burntSeal(rows: Uint32Array, at: number): number {
  return 2 ** 32 + crc32OfWords(rows, at, BURNT_SEALED_WORDS);
}

/** A blob's words; copied only if they don't start on a word. */
export function wordsOf(blob: Uint8Array): Uint32Array {
  const aligned = blob.byteOffset % WORD_BYTES === 0 ? blob : new Uint8Array(blob);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / WORD_BYTES);
}
