import type { ServerId } from '../../consensus/types.ts';
import type { Group } from './group.ts';
import {
  CLOSE_ENTRIES,
  DRAIN_PAUSE_MS,
  HOMING_GIVE_UP_MS,
  HOMING_PAUSE_MS,
  HOMING_PAUSE_MS_MAX,
  HOMING_SCAN_MS,
  HOMING_SILENCE_MS,
  HOMING_STEADY_MS,
} from './limits.ts';
import { isRemote, preferredLeader, type Topology } from './topology.ts';

/** A unit as homing sees it; the registry is one too. */
export interface Led {
  readonly unit: number;
  readonly group: Group;
  /** Nothing is under way that a change of leader would leave unanswered. */
  readonly quiet: boolean;
  /** Set: nothing new is proposed, so that it becomes quiet. */
  handingOver: boolean;
}

interface HandOver {
  readonly unit: Led;
  readonly to: ServerId;
  readonly giveUpMs: number;
  asked: boolean;
}

/**
 * Brings leaders home, one at a time a server: when the preferred server of a unit that we lead has
 * kept up for a while, the unit stops proposing, empties its log and moves. Out of a zone that is being drained they
 * go at once, to any server that keeps up if the preferred one doesn't; and so they do before a server stops.
 */
export class Homing {
  #current: HandOver | null = null;
  #nextMs = 0;
  /** Since when a unit waits for its first heir. */
  #waitingSinceMs: number | null = null;
  /** Hand-overs in a row that were given up. */
  #failures = 0;
  #nextScanMs = 0;
  /** Since when each unit's preferred server has kept up, and when it last did; by position in `units`. */
  #steadySinceMs: number[] = [];
  #keptUpMs: number[] = [];

  /** `isFit`: whether a peer is well; nobody goes home to a sick one. `ending`: this server is about to stop. */
  step(
    nowMs: number,
    self: ServerId,
    topology: Topology,
    units: readonly Led[],
    isFit: (server: ServerId) => boolean,
    ending = false,
  ): void {
    const leaves = ending || isDrained(topology, self);
    if (this.#current !== null) {
      this.#continue(this.#current, nowMs, leaves);
      return;
    }
    if (nowMs < this.#nextScanMs && !ending) return;
    this.#nextScanMs = nowMs + HOMING_SCAN_MS;
    units.forEach((unit, i) => {
      if (leaves) {
        this.#leave(unit, nowMs, self, topology);
        return;
      }
      const to = preferredLeader(topology, unit.unit);
      const isAway = to !== 0 && to !== self && unit.group.serving;
      const keptUp = isAway && isFit(to) && keepsUp(unit, to);
      if (keptUp) this.#keptUpMs[i] = nowMs;
      // Consensus asks anew now and then who is there: a short "not yet heard" breaks nothing.
      const silent = nowMs - (this.#keptUpMs[i] ?? 0) > HOMING_SILENCE_MS;
      if (!isAway || silent) this.#steadySinceMs[i] = nowMs;
      this.#steadySinceMs[i] ??= nowMs;
      if (!keptUp) return;
      const steadyMs = nowMs - this.#steadySinceMs[i];
      if (this.#current !== null || nowMs < this.#nextMs || steadyMs < HOMING_STEADY_MS) return;
      this.#begin(unit, to, nowMs);
    });
  }

  #leave(unit: Led, nowMs: number, self: ServerId, topology: Topology): void {
    if (this.#current !== null || nowMs < this.#nextMs || !unit.group.serving) return;
    const heirs = heirsOf(topology, unit.unit, self);
    const able = heirs.find((id) => keepsUp(unit, id));
    if (able === undefined) return;
    // Consensus asks anew now and then who is there: a worse heir than the first only if that one stays away.
    this.#waitingSinceMs ??= nowMs;
    if (able !== heirs[0] && nowMs - this.#waitingSinceMs < HOMING_SILENCE_MS) return;
    this.#waitingSinceMs = null;
    this.#begin(unit, able, nowMs);
  }

  #begin(unit: Led, to: ServerId, nowMs: number): void {
    this.#current = { unit, to, giveUpMs: nowMs + HOMING_GIVE_UP_MS, asked: false };
    unit.handingOver = true;
  }

  #continue(handOver: HandOver, nowMs: number, leaves: boolean): void {
    const { unit, to } = handOver;
    const isDone = !unit.group.serving;
    if (isDone || nowMs >= handOver.giveUpMs) {
      unit.handingOver = false;
      this.#current = null;
      this.#failures = isDone ? 0 : this.#failures + 1;
      this.#nextMs = nowMs + (isDone && leaves ? DRAIN_PAUSE_MS : this.#pauseMs());
    } else if (!handOver.asked && unit.quiet) {
      handOver.asked = true;
      unit.group.raft.transferLeadership(to);
    }
  }

  /** A disk or network too slow for a hand-over is so for a while, and the unit books nothing during each try. */
  #pauseMs(): number {
    return Math.min(HOMING_PAUSE_MS * 2 ** this.#failures, HOMING_PAUSE_MS_MAX);
  }
}

/** Servers that may take a unit over, the best first: where it lives, then its city, then the remote ones. */
function heirsOf(topology: Topology, unit: number, self: ServerId): ServerId[] {
  const rank = (id: ServerId) =>
    id === preferredLeader(topology, unit) ? 0 : isRemote(topology, id) ? 2 : 1;
  return topology.servers
    .map(({ id }) => id)
    .filter((id) => id !== self && !isDrained(topology, id))
    .sort((a, b) => rank(a) - rank(b) || a - b);
}

function isDrained({ zones, servers }: Topology, server: ServerId): boolean {
  const zone = servers.find(({ id }) => id === server)?.zone;
  return zones.find(({ name }) => name === zone)?.drained === true;
}

/** In touch, and at most one round of entries behind: a hand-over will not have to wait for it. */
function keepsUp(unit: Led, server: ServerId): boolean {
  const status = unit.group.raft.status();
  const peer = status.peers.find((candidate) => candidate.id === server);
  if (peer?.voter === false) return false;
  return peer?.recentlyActive === true && status.lastIndex - peer.match <= CLOSE_ENTRIES;
}
