import type { ServerId } from '../../consensus/types.ts';
import type { LedgerUnit } from './ledger-unit.ts';
import {
  HOMING_GIVE_UP_MS,
  HOMING_PAUSE_MS,
  HOMING_SCAN_MS,
  HOMING_SILENCE_MS,
  HOMING_STEADY_MS,
} from './limits.ts';
import { preferredLeader, type Topology } from './topology.ts';

interface HandOver {
  readonly unit: LedgerUnit;
  readonly to: ServerId;
  readonly giveUpMs: number;
  asked: boolean;
}

/**
 * Brings leaders home, one at a time a server: when the preferred server of a unit that we lead has
 * kept up for a while, the unit stops proposing, empties its log and moves.
 */
export class Homing {
  #current: HandOver | null = null;
  #nextMs = 0;
  #nextScanMs = 0;
  /** Since when each unit's preferred server has kept up, and when it last did; by position in `units`. */
  #steadySinceMs: number[] = [];
  #keptUpMs: number[] = [];

  step(nowMs: number, self: ServerId, topology: Topology, units: readonly LedgerUnit[]): void {
    if (this.#current !== null) {
      this.#continue(this.#current, nowMs);
      return;
    }
    if (nowMs < this.#nextScanMs) return;
    this.#nextScanMs = nowMs + HOMING_SCAN_MS;
    units.forEach((unit, i) => {
      const to = preferredLeader(topology, unit.unit);
      const isAway = to !== 0 && to !== self && unit.group.serving;
      const keptUp = isAway && keepsUp(unit, to);
      if (keptUp) this.#keptUpMs[i] = nowMs;
      // Consensus asks anew now and then who is there: a short "not yet heard" breaks nothing.
      const silent = nowMs - (this.#keptUpMs[i] ?? 0) > HOMING_SILENCE_MS;
      if (!isAway || silent) this.#steadySinceMs[i] = nowMs;
      this.#steadySinceMs[i] ??= nowMs;
      if (!keptUp) return;
      const steadyMs = nowMs - this.#steadySinceMs[i];
      if (this.#current !== null || nowMs < this.#nextMs || steadyMs < HOMING_STEADY_MS) return;
      this.#current = { unit, to, giveUpMs: nowMs + HOMING_GIVE_UP_MS, asked: false };
      unit.handingOver = true;
    });
  }

  #continue(handOver: HandOver, nowMs: number): void {
    const { unit, to } = handOver;
    if (!unit.group.serving || nowMs >= handOver.giveUpMs) {
      unit.handingOver = false;
      this.#current = null;
      this.#nextMs = nowMs + HOMING_PAUSE_MS;
    } else if (!handOver.asked && unit.quiet) {
      handOver.asked = true;
      unit.group.raft.transferLeadership(to);
    }
  }
}

/** In touch, and at most one round of entries behind: a hand-over will not have to wait for it. */
function keepsUp(unit: LedgerUnit, server: ServerId): boolean {
  const status = unit.group.raft.status();
  const peer = status.peers.find((candidate) => candidate.id === server);
  return peer?.recentlyActive === true && status.lastIndex - peer.match <= KEEPS_UP_ENTRIES;
}

const KEEPS_UP_ENTRIES = 64;
