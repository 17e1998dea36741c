import fc from 'fast-check';
import { ModelUnit, type Step } from './model.ts';

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'plain',
    'plain',
    'pending',
    'pending',
    'post',
    'void',
    'expire',
    'hold',
    'home',
    'release',
    'far',
  ),
  debit: fc.nat({ max: 3 }),
  credit: fc.nat({ max: 2 }),
  amount: fc.nat({ max: 1_000 }),
  pick: fc.nat({ max: 60 }),
});

export const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(step, { maxLength, size: 'max' });

/** A unit with rows in books, rows in memory, and some that both hold. */
export function models(maxLength: number): fc.Arbitrary<ModelUnit> {
  return fc
    .tuple(steps(maxLength), fc.nat({ max: maxLength }), fc.nat({ max: 8 }))
    .map(([taken, folded, ahead]) => new ModelUnit(2n).run(taken).foldTo(folded, folded + ahead));
}
