import { describeBooks } from '../server/core/books.conformance.ts';
import { SimulatedBooks } from './books.ts';

describeBooks('simulated books', () => {
  const all = new Map<number, SimulatedBooks>();
  return {
    open(unit) {
      const known = all.get(unit);
      known?.reopen();
      const books = known ?? new SimulatedBooks(unit, (_bytes, complete) => setImmediate(complete));
      all.set(unit, books);
      return books;
    },
    async restart() {
      for (const books of all.values()) books.close();
    },
    async dispose() {},
  };
});
