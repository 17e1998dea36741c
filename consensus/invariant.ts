/**
 * The core met a state that the protocol rules out. Never caught and continued: the process stops
 * (fail-stop).
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Throws an `InvariantError` unless `condition` holds. For hot paths write the `if` and build the
 * text only there.
 */
export function invariant(condition: boolean, text: string): asserts condition {
  if (!condition) throw new InvariantError(text);
}

/** Asserts a term, index or count: a safe integer >= 0. */
export function assertNatural(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvariantError(`${name} is not a natural number: ${value}`);
}
