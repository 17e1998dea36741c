import type { ServerId } from '../../consensus/types.ts';
import type { Group } from './group.ts';
import { SUCCESSION_REMOTE_MS, SUCCESSION_STEP_MS } from './limits.ts';
import { isRemote, preferredLeader, type Topology } from './topology.ts';

/**
 * Who campaigns when a leader's process is known to be dead: the first in line at once, the next ones only if that
 * one has not won by then. Two at once would split the votes and pay a whole candidacy timeout.
 */
export class Succession {
  /** In the order of the groups. */
  #waiting: { readonly group: Group; readonly dueMs: number }[] = [];
  #down: readonly ServerId[] = [];

  /** Before the groups forget that leader. */
  serverDown(
    nowMs: number,
    self: ServerId,
    down: ServerId,
    topology: Topology,
    groups: readonly Group[],
  ): void {
    this.#down = [...this.#down.filter((id) => id !== down), down];
    for (const group of groups) {
      if (group.leader !== down) continue;
      const waitMs = waitOf(self, group.unit, topology, this.#down);
      this.#waiting.push({ group, dueMs: nowMs + waitMs });
    }
  }

  serverUp(server: ServerId): void {
    this.#down = this.#down.filter((id) => id !== server);
  }

  /** Groups that are to campaign now: nobody else has won meanwhile. */
  due(nowMs: number): Group[] {
    if (this.#waiting.length === 0) return [];
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= nowMs);
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > nowMs);
    return due.flatMap(({ group }) => (group.leader === 0 ? [group] : []));
  }
}

/** The unit's own server first, then the others of the leading city, then the remote ones. */
function waitOf(
  self: ServerId,
  unit: number,
  topology: Topology,
  down: readonly ServerId[],
): number {
  const line = topology.servers
    .map(({ id }) => id)
    .filter((id) => !down.includes(id) && isRemote(topology, id) === isRemote(topology, self));
  const home = preferredLeader(topology, unit);
  // Turns by unit, so that one server does not inherit all.
  const turned = [...line.slice(unit % line.length), ...line.slice(0, unit % line.length)];
  const inLine = turned.includes(home) ? [home, ...turned.filter((id) => id !== home)] : turned;
  const firstMs = isRemote(topology, self) ? SUCCESSION_REMOTE_MS : 0;
  return firstMs + Math.max(0, inLine.indexOf(self)) * SUCCESSION_STEP_MS;
}
