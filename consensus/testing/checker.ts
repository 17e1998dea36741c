/** The safety properties of Raft (paper, Figure 3; thesis 4), checked over a whole cluster's history. */
import { decodeMembership, voterSetsOf } from '../membership.ts';
import {
  type Entry,
  EntryKind,
  type Membership,
  type ServerId,
  type SnapshotMark,
  type TraceEvent,
} from '../types.ts';
import { entryText, type SimNode } from './node.ts';
import { quorumsMeet } from './quorums.ts';

export class SafetyError extends Error {
  override readonly name = 'SafetyError';
}

/** Terms stay far below this; so a place in any log is one number. */
const TERM_MAX = 2 ** 20;

export class Checker {
  readonly #leaders = new Map<number, string>();
  /** Applied by anyone, ever: index i at i - 1. */
  readonly committed: Entry[] = [];
  /** Term of each index that anyone has declared committed: index i at i - 1. */
  readonly #commitTerms: number[] = [];
  /** What any log has ever held, by index and term: the entry, and the term before it. */
  readonly #written = new Map<number, { readonly entry: Entry; readonly before: number }>();
  highestTerm = 0;
  /** Called for each entry when it is first applied. */
  onCommitted: (entry: Entry) => void = () => {};

  /**
   * Election safety: at most one leader a term, and not again after a restart. Leader completeness: it holds all that
   * was ever committed.
   */
  onEvent(node: SimNode, incarnation: number, event: TraceEvent): void {
    this.highestTerm = Math.max(this.highestTerm, event.term);
    if (event.kind !== 'role' || event.role !== 'leader') return;
    const who = `${node.id}#${incarnation}`;
    const other = this.#leaders.get(event.term);
    if (other !== undefined && other !== who)
      throw new SafetyError(`two leaders in term ${event.term}: ${other} and ${who}`);
    this.#leaders.set(event.term, who);
    // Logs match, so who holds the last one holds all before it.
    checkHolds(node, this.committed.length, this.committed.at(-1)?.term);
    checkHolds(node, this.#commitTerms.length, this.#commitTerms.at(-1));
  }

  /**
   * State machine safety: no two replicas apply different entries at an index, nor before it is
   * durable (C66).
   */
  onApply(node: SimNode, entry: Entry): void {
    const { id, disk } = node;
    if (
      !node.skipDurability &&
      disk.log.entriesHeld[entry.index - 1 - disk.log.base]?.term !== entry.term
    ) {
      throw new SafetyError(
        `server ${id} applied ${entryText(entry)} at ${entry.index} before it was durable`,
      );
    }
    const known = this.committed[entry.index - 1];
    if (known === undefined) {
      if (entry.index !== this.committed.length + 1)
        throw new SafetyError(`server ${id} applied ${entry.index} with a gap`);
      this.committed.push(entry);
      this.onCommitted(entry);
    } else if (!same(known, entry)) {
      throw new SafetyError(
        `server ${id} applied ${entryText(entry)} at ${entry.index}, not ${entryText(known)}`,
      );
    }
  }

  /**
   * Log matching, once for all: an index and term stand for one entry and one entry before it, in every log and for
   * ever; so by induction all before it is the same too. Also looks at each membership as it comes into a log.
   */
  onWrite(node: SimNode, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    let before = node.accepted.term(first.index - 1);
    for (const entry of entries) {
      const place = entry.index * TERM_MAX + entry.term;
      const known = this.#written.get(place);
      if (known === undefined) this.#written.set(place, { entry, before });
      else if (!same(known.entry, entry) || known.before !== before) {
        throw new SafetyError(
          `server ${node.id} holds ${entryText(entry)} at ${entry.index} after term ${before}, ` +
            `another ${entryText(known.entry)} after term ${known.before}`,
        );
      }
      before = entry.term;
    }
    if (entries.some(isMembership)) checkMemberships(node, entries);
  }

  /** After the outputs of `node` were taken: no two declare different entries committed at an index. */
  onCommitMoved({ id, raft, accepted }: SimNode): void {
    const { commit } = raft;
    const terms = this.#commitTerms;
    if (commit > accepted.base && commit <= terms.length) {
      if (accepted.term(commit) !== terms[commit - 1])
        throw new SafetyError(`server ${id} has another entry committed at ${commit}`);
      return;
    }
    if (accepted.base > terms.length)
      throw new SafetyError(
        `server ${id} starts at ${accepted.base}, beyond all that is committed`,
      );
    while (terms.length < commit) terms.push(accepted.term(terms.length + 1));
  }

  /**
   * When a leader commits `index`: it is on the disks of a majority of each half, and in two zones if there are
   * two. A disk that has lost entries since it acknowledged them is given credit.
   */
  checkQuorumHolds(leader: SimNode, nodes: readonly SimNode[], index: number): void {
    const { zoneOf } = leader.config;
    const term = leader.raft.term;
    const holds = (id: ServerId) => {
      const { disk, recovering } = nodes[id - 1] as SimNode;
      if (recovering || disk.log.base >= index) return true;
      return disk.log.lastIndex() >= index && disk.log.term(index) === term;
    };
    for (const voters of voterSetsOf(leader.status().membership)) {
      const holders = voters.filter(holds);
      const zones = Math.min(2, new Set(voters.map(zoneOf)).size);
      if (2 * holders.length <= voters.length || new Set(holders.map(zoneOf)).size < zones) {
        throw new SafetyError(
          `leader ${leader.id} commits ${index} held by ${holders.join(' ')} of ${voters.join(' ')}`,
        );
      }
    }
  }

  /** A snapshot stands for a prefix of what was applied, and for the membership that came with it. */
  checkMark(mark: SnapshotMark, configured: Membership): void {
    const last = this.committed[mark.index - 1];
    if (last?.term !== mark.term)
      throw new SafetyError(`a snapshot of ${mark.index}@${mark.term}, applied was ${last?.term}`);
    const entry = this.committed.slice(0, mark.index).findLast(isMembership);
    const expected = entry === undefined ? configured : decodeMembership(entry.payload);
    if (JSON.stringify(mark.membership) !== JSON.stringify(expected))
      throw new SafetyError(`a snapshot of ${mark.index} has members of another index`);
  }

  /** Log matching: same index and term means same entry, and the same before it. */
  checkLogs(nodes: readonly SimNode[]): void {
    for (let a = 0; a < nodes.length; a++) {
      for (let b = a + 1; b < nodes.length; b++)
        matchLogs(nodes[a] as SimNode, nodes[b] as SimNode);
    }
  }
}

function checkHolds({ id, accepted }: SimNode, index: number, term: number | undefined): void {
  if (index <= accepted.base) return;
  if (index > accepted.lastIndex() || accepted.term(index) !== term)
    throw new SafetyError(`leader ${id} lacks committed entry ${index} of term ${term}`);
}

/** Mostly they are one object: messages hand entries on as they are. */
function same(one: Entry, other: Entry): boolean {
  return one === other || entryText(one) === entryText(other);
}

const isMembership = ({ kind }: Entry): boolean => kind === EntryKind.membership;

/** Configuration safety: a majority by one membership and one by the next always share a voter. */
function checkMemberships({ id, accepted, config }: SimNode, entries: readonly Entry[]): void {
  const [first] = entries;
  const last = accepted.memberships().findLast(({ index }) => index < (first?.index ?? 0));
  let before =
    last === undefined ? (accepted.start ?? config.membership) : decodeMembership(last.payload);
  for (const entry of entries.filter(isMembership)) {
    const next = decodeMembership(entry.payload);
    // A new server knows no members before those that it is brought in with.
    if (before.voters.length > 0 && !quorumsMeet(voterSetsOf(before), voterSetsOf(next))) {
      const [from, to] = [before, next].map((members) => JSON.stringify(members));
      throw new SafetyError(`server ${id} goes from members ${from} to ${to}`);
    }
    before = next;
  }
}

function matchLogs(a: SimNode, b: SimNode): void {
  const one = a.accepted;
  const two = b.accepted;
  let mustMatch = false;
  const from = Math.max(one.base, two.base);
  for (let i = Math.min(one.lastIndex(), two.lastIndex()) - 1; i >= from; i--) {
    const left = one.entriesHeld[i - one.base] as Entry;
    const right = two.entriesHeld[i - two.base] as Entry;
    if (left.term === right.term) mustMatch = true;
    if (!mustMatch) continue;
    if (!same(left, right)) {
      throw new SafetyError(
        `logs of ${a.id} and ${b.id} differ at ${i + 1}: ${entryText(left)}, ${entryText(right)}`,
      );
    }
  }
}
