import { describeReads } from '../server/core/reads/reads.conformance.ts';
import { SimulatedBooks } from './books.ts';

describeReads(
  'simulated books',
  () => ({
    open: (unit) => new SimulatedBooks(unit, (_bytes, complete) => complete()),
    async restart() {},
    async dispose() {},
  }),
  { count: 25, steps: 90 },
);
