/**
 * Who takes part in a group, and which changes are legal (thesis 4; etcd `confchange`). Pure.
 *
 * A change of one voter is simple: any majority before it and any after it share a voter. Any other
 * goes through a joint membership, in which both halves must agree, and is left by a second entry. Checked against
 * brute force in membership.test.ts.
 */
import { InvariantError } from './invariant.ts';
import type { VoterSets } from './quorum.ts';
import { type Membership, SERVER_ID_MAX, type ServerId } from './types.ts';

/** What a change asks for; the order of ids doesn't matter. */
export interface MembershipTarget {
  readonly voters: readonly ServerId[];
  readonly learners: readonly ServerId[];
}

export type MembershipChange =
  | { readonly membership: Membership }
  /** Why the change can't be made. */
  | { readonly invalid: string };

export const NO_MEMBERS: Membership = Object.freeze({
  voters: [],
  outgoing: [],
  learners: [],
  learnersNext: [],
});

/** A plain membership of these voters. */
export function votersOnly(voters: readonly ServerId[]): Membership {
  return { ...NO_MEMBERS, voters: ascending(voters) };
}

export function isJoint(membership: Membership): boolean {
  return membership.outgoing.length > 0;
}

/** One set of voters; two while joint. */
export function voterSetsOf({ voters, outgoing }: Membership): VoterSets {
  return outgoing.length === 0 ? [voters] : [voters, outgoing];
}

/** Voters of either half, ascending. */
export function votersOf({ voters, outgoing }: Membership): ServerId[] {
  return ascending([...voters, ...outgoing]);
}

/** All that get the log, ascending. */
export function membersOf({ voters, outgoing, learners }: Membership): ServerId[] {
  return ascending([...voters, ...outgoing, ...learners]);
}

export function isMember({ voters, outgoing, learners }: Membership, id: ServerId): boolean {
  return voters.includes(id) || outgoing.includes(id) || learners.includes(id);
}

/** The way to `target`: simple if at most one voter comes or goes, else joint. */
export function changeTo(current: Membership, target: MembershipTarget): MembershipChange {
  const coming = target.voters.filter((id) => !current.voters.includes(id)).length;
  const going = current.voters.filter((id) => !target.voters.includes(id)).length;
  return coming + going <= 1 ? simpleChange(current, target) : enterJoint(current, target);
}

/** Adding who is there and removing who is not is no error (C108). */
export function simpleChange(current: Membership, target: MembershipTarget): MembershipChange {
  const voters = ascending(target.voters);
  const changed =
    voters.filter((id) => !current.voters.includes(id)).length +
    current.voters.filter((id) => !voters.includes(id)).length;
  if (isJoint(current)) return { invalid: 'a joint change is under way' };
  if (changed > 1) return { invalid: 'more than one voter changes: this needs a joint change' };
  return checked({ voters, outgoing: [], learners: ascending(target.learners), learnersNext: [] });
}

export function enterJoint(current: Membership, target: MembershipTarget): MembershipChange {
  if (isJoint(current)) return { invalid: 'a joint change is under way' };
  if (current.voters.length === 0) return { invalid: 'there are no voters that could agree' };
  const learners = ascending(target.learners);
  const outgoing = current.voters;
  return checked({
    voters: ascending(target.voters),
    outgoing,
    // Who votes in the outgoing half goes on voting there until the change ends.
    learners: learners.filter((id) => !outgoing.includes(id)),
    learnersNext: learners.filter((id) => outgoing.includes(id)),
  });
}

export function leaveJoint(current: Membership): MembershipChange {
  if (!isJoint(current)) return { invalid: 'no joint change is under way' };
  const { voters, learners, learnersNext } = current;
  return checked({
    voters,
    outgoing: [],
    learners: ascending([...learners, ...learnersNext]),
    learnersNext: [],
  });
}

function checked(membership: Membership): MembershipChange {
  const invalid = whyInvalid(membership);
  return invalid === null ? { membership } : { invalid };
}

/** What is wrong with a membership that is to come into force; null if nothing is. */
export function whyInvalid(membership: Membership): string | null {
  const { voters, outgoing, learners, learnersNext } = membership;
  for (const list of [voters, outgoing, learners, learnersNext]) {
    for (let i = 0; i < list.length; i++) {
      const id = list[i] as number;
      if (!Number.isInteger(id) || id < 1 || id > SERVER_ID_MAX)
        return `server ${id} is not in 1..${SERVER_ID_MAX}`;
      if (i > 0 && id <= (list[i - 1] as number))
        return `ids are not ascending without repeats: ${list.join(' ')}`;
    }
  }
  if (voters.length === 0) return 'a group needs at least one voter';
  const both = learners.find((id) => voters.includes(id) || outgoing.includes(id));
  if (both !== undefined) return `server ${both} cannot be voter and learner at once`;
  const stray = learnersNext.find((id) => voters.includes(id) || !outgoing.includes(id));
  if (stray !== undefined) return `server ${stray} does not leave the voters`;
  return null;
}

const FORMAT = 1;

/** Bytes of a membership entry: a version, then each list as a count and its ids, all u16. */
export function encodeMembership(membership: Membership): Uint8Array {
  const { voters, outgoing, learners, learnersNext } = membership;
  const words: number[] = [FORMAT];
  for (const list of [voters, outgoing, learners, learnersNext]) words.push(list.length, ...list);
  const bytes = new Uint8Array(2 * words.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setUint16(2 * i, words[i] as number, true);
  return bytes;
}

/** Throws an `InvariantError` if these are not the bytes of a membership. */
export function decodeMembership(bytes: Uint8Array): Membership {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const word = (): number => {
    if (at + 2 > bytes.byteLength) throw new InvariantError('a membership ends early');
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const list = (): ServerId[] => Array.from({ length: word() }, word);
  const format = word();
  if (format !== FORMAT) throw new InvariantError(`membership format ${format} is unknown`);
  const membership = { voters: list(), outgoing: list(), learners: list(), learnersNext: list() };
  if (at !== bytes.byteLength) throw new InvariantError('a membership has bytes left over');
  const invalid = membersOf(membership).length === 0 ? null : whyInvalid(membership);
  if (invalid !== null) throw new InvariantError(`membership: ${invalid}`);
  return membership;
}

function ascending(ids: readonly ServerId[]): ServerId[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
