import { isDeepStrictEqual } from 'node:util';

/** Two sides that must agree do not. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** Quick where all is well; says what differs where it is not. */
export function same(actual: unknown, expected: unknown, what: string | (() => string)): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const title = typeof what === 'string' ? what : what();
  throw new Difference(`${title}\nis        ${shown(actual)}\nshould be ${shown(expected)}`);
}

export function sameWords(actual: Uint32Array, expected: Uint32Array, what: string): void {
  let equal = actual.length === expected.length;
  for (let word = 0; equal && word < actual.length; word += 1) {
    equal = actual[word] === expected[word];
  }
  if (!equal) same(Array.from(actual), Array.from(expected), what);
}

export function shown(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint' ? `${part}n` : part,
  );
}
