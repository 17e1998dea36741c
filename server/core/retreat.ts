import type { ServerId } from '../../consensus/types.ts';
import type { Group } from './group.ts';
import { RETREAT_GIVE_UP_MS, SICK_LEADERLESS_MS_MAX } from './limits.ts';

export interface RetreatOptions {
  readonly self: ServerId;
  /** Unit 0 and up. */
  readonly groups: readonly Group[];
  /** Peers that may lead, the best first. */
  heirs(): readonly ServerId[];
  /** While set the unit proposes nothing. */
  hold(unit: number, isHeld: boolean): void;
}

/**
 * Gives away all that a sick server leads: to a peer that has nearly all and is well, else by resigning, so that
 * the others elect among themselves. It does not campaign meanwhile. With no peer that is well all goes on as
 * before: nobody would do better.
 */
export class Retreat {
  readonly #options: RetreatOptions;
  /** By unit: when a retreat that has not happened ends by resigning; 0: none is under way. */
  readonly #giveUpMs: number[];
  /** By unit: who is to lead it; 0: nobody could yet. */
  readonly #heir: ServerId[];
  /** By unit: since when nobody is known to lead it; null: somebody is. */
  readonly #leaderlessMs: (number | null)[];
  #isOn = false;

  constructor(options: RetreatOptions) {
    this.#options = options;
    this.#giveUpMs = options.groups.map(() => 0);
    this.#heir = options.groups.map(() => 0);
    this.#leaderlessMs = options.groups.map(() => null);
  }

  /** While sick, each tick. */
  step(nowMs: number): void {
    this.#isOn = true;
    const heirs = this.#options.heirs();
    for (const group of this.#options.groups) {
      if (group.raft.role === 'leader' && heirs.length > 0) this.#leave(group, heirs, nowMs);
      else this.#release(group);
      const leaderlessMs = this.#leaderless(group, nowMs);
      group.raft.setEligible(heirs.length === 0 || leaderlessMs >= SICK_LEADERLESS_MS_MAX);
    }
  }

  #leaderless({ unit, raft }: Group, nowMs: number): number {
    if (raft.leader !== 0) this.#leaderlessMs[unit] = null;
    else this.#leaderlessMs[unit] ??= nowMs;
    return nowMs - (this.#leaderlessMs[unit] ?? nowMs);
  }

  /** Well again. */
  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    for (const group of this.#options.groups) {
      this.#release(group);
      this.#leaderlessMs[group.unit] = null;
      group.raft.setEligible(true);
    }
  }

  #leave(group: Group, heirs: readonly ServerId[], nowMs: number): void {
    const { unit, raft } = group;
    if (this.#giveUpMs[unit] === 0) {
      this.#giveUpMs[unit] = nowMs + RETREAT_GIVE_UP_MS;
      this.#heir[unit] = 0;
    } else if (nowMs >= this.#giveUpMs[unit]!) {
      this.#giveUpMs[unit] = 0;
      this.#resign(group);
      return;
    }
    // The one that was chosen may have said since that it is sick too.
    if (heirs.includes(this.#heir[unit]!)) return;
    // One that has just won, because nobody else had all entries, doesn't know yet what its peers hold.
    const heir = heirOf(group, heirs);
    if (heir === undefined) return;
    this.#heir[unit] = heir;
    this.#options.hold(unit, true);
    raft.transferLeadership(heir);
  }

  #resign({ unit, raft }: Group): void {
    raft.resign();
    this.#options.hold(unit, false);
  }

  #release({ unit, raft }: Group): void {
    if (this.#giveUpMs[unit] === 0) return;
    this.#giveUpMs[unit] = 0;
    if (this.#heir[unit] === 0) return;
    raft.transferLeadership(this.#options.self);
    this.#options.hold(unit, false);
  }
}

/** A hand-over must not have to wait for a peer that is far behind. */
const NEARLY_ALL_ENTRIES = 64;

function heirOf(group: Group, heirs: readonly ServerId[]): ServerId | undefined {
  const { peers, lastIndex } = group.raft.status();
  return heirs.find((heir) => {
    const peer = peers.find(({ id }) => id === heir);
    return peer?.voter === true && lastIndex - peer.match <= NEARLY_ALL_ENTRIES;
  });
}
