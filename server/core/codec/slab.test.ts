import { expect, it } from 'vitest';
import { Slab } from './slab.ts';

it('gives out zeroed arrays of which no two share a word', () => {
  const slab = new Slab();
  const pieces = [32, 32, 1_000, 1_024, 5_000, 32, 9_000, 64].flatMap((words) =>
    Array.from({ length: 20 }, () => slab.take(words)),
  );
  pieces.forEach((piece, i) => {
    expect(piece.every((word) => word === 0)).toBe(true);
    piece.fill(i + 1);
  });
  pieces.forEach((piece, i) => {
    expect(piece.every((word) => word === i + 1)).toBe(true);
  });
});
