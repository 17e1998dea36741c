/** Quorums the slow way: by trying every set of servers. */
import type { VoterSets } from '../quorum.ts';
import type { ServerId } from '../types.ts';

export function agrees(sets: VoterSets, has: (id: ServerId) => boolean): boolean {
  return sets.every((set) => set.length === 0 || 2 * set.filter(has).length > set.length);
}

/** Whether any quorum of the one and any of the other have a server in common. */
export function quorumsMeet(one: VoterSets, other: VoterSets): boolean {
  const ids = [...new Set([...one.flat(), ...other.flat()])];
  for (let mask = 0; mask < 2 ** ids.length; mask++) {
    const has = (id: ServerId) => (mask & (1 << ids.indexOf(id))) !== 0;
    if (agrees(one, has) && agrees(other, (id) => !has(id))) return false;
  }
  return true;
}
