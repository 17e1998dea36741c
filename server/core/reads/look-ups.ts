import { RECORD_WORDS } from '../../../ledger/layout.ts';
import { concat, withPendingState } from './row.ts';
import type { MachineReads, Source } from './source.ts';

/** Found accounts' records, in the order asked. */
export function lookupAccounts(machine: MachineReads, ids: Uint32Array): Uint32Array {
  const found = new Uint32Array((ids.length / 4) * RECORD_WORDS);
  let at = 0;
  for (let i = 0; i < ids.length; i += 4) {
    const handle = machine.findAccount(ids, i);
    if (handle < 0) continue;
    machine.readAccount(handle, found, at);
    at += RECORD_WORDS;
  }
  return found.slice(0, at);
}

/** Found transfers' rows, in the order asked: those in memory, else those in the books. */
export function lookupTransfers({ machine, books }: Source, ids: Uint32Array): Uint32Array {
  const known: (Uint32Array | null)[] = [];
  const missing: number[] = [];
  for (let i = 0; i < ids.length; i += 4) {
    const resident = machine.findResidentTransfer(ids, i);
    if (resident === null) missing.push(i / 4);
    known.push(resident instanceof Uint32Array ? resident : null);
  }
  if (missing.length > 0) {
    const found = books.lookUp(concat(missing.map((i) => ids.subarray(i * 4, i * 4 + 4))));
    missing.forEach((i, position) => {
      const row = found[position];
      known[i] = row instanceof Uint32Array ? row : null;
    });
  }
  return concat(
    withPendingState(
      machine,
      known.filter((row) => row !== null),
    ),
  );
}
