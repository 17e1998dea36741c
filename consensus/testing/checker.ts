/** The safety properties of Raft (paper, Figure 3), checked over a whole cluster's history. */
import type { Entry, ServerId, TraceEvent } from '../types.ts';
import { entryText, type SimNode } from './node.ts';

export class SafetyError extends Error {
  override readonly name = 'SafetyError';
}

export class Checker {
  readonly #leaders = new Map<number, string>();
  /** Committed by anyone, ever: index i at i - 1. */
  readonly committed: Entry[] = [];
  highestTerm = 0;

  /**
   * Election safety: at most one leader a term, and not again after a restart. Leader completeness.
   */
  onEvent(node: SimNode, incarnation: number, event: TraceEvent): void {
    this.highestTerm = Math.max(this.highestTerm, event.term);
    if (event.kind !== 'role' || event.role !== 'leader') return;
    const who = `${node.id}#${incarnation}`;
    const other = this.#leaders.get(event.term);
    if (other !== undefined && other !== who)
      throw new SafetyError(`two leaders in term ${event.term}: ${other} and ${who}`);
    this.#leaders.set(event.term, who);
    this.#checkHolds(node.id, node.accepted.entriesHeld, node.accepted.base);
  }

  #checkHolds(id: ServerId, log: readonly Entry[], base: number): void {
    for (let i = base; i < this.committed.length; i++) {
      const expected = this.committed[i] as Entry;
      const held = log[i - base];
      if (held === undefined || held.term !== expected.term) {
        throw new SafetyError(
          `leader ${id} lacks committed entry ${i + 1} (${entryText(expected)})`,
        );
      }
    }
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
    } else if (known.term !== entry.term || entryText(known) !== entryText(entry)) {
      throw new SafetyError(
        `server ${id} applied ${entryText(entry)} at ${entry.index}, not ${entryText(known)}`,
      );
    }
  }

  /** Log matching: same index and term means same entry, and the same before it. */
  checkLogs(nodes: readonly SimNode[]): void {
    for (let a = 0; a < nodes.length; a++) {
      for (let b = a + 1; b < nodes.length; b++)
        matchLogs(nodes[a] as SimNode, nodes[b] as SimNode);
    }
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
    if (left.term !== right.term || entryText(left) !== entryText(right)) {
      throw new SafetyError(
        `logs of ${a.id} and ${b.id} differ at ${i + 1}: ${entryText(left)}, ${entryText(right)}`,
      );
    }
  }
}
