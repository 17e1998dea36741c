/** The machine's state contradicts itself, or an entry contradicts the state: the process must stop. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(holds: boolean, broken: string): asserts holds {
  if (!holds) throw new InvariantError(broken);
}
