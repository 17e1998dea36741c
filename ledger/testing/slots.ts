import { SLOT_COUNT } from '../layout.ts';
import { slotOf } from '../slot.ts';
import { idWords } from './records.ts';

export const UNITS = [1, 2, 3] as const;

/** Slots dealt out to the units in turn. */
export function dealtSlots(units: number): Uint16Array {
  return Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => 1 + (slot % units));
}

export function unitOfAccount(id: bigint, units: number = UNITS.length): number {
  return 1 + (slotOf(idWords(id), 0) % units);
}

/** The n-th small account id that the unit owns, from 0. */
export function accountIn(unit: number, n: number): bigint {
  let left = n;
  for (let id = 1n; ; id += 1n) {
    if (unitOfAccount(id) !== unit) continue;
    if (left === 0) return id;
    left -= 1;
  }
}
