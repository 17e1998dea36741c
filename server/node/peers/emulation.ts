import type { ServerId } from '../../../consensus/types.ts';

/**
 * What the emulated network does to messages on their way from one server to another. It is applied by the
 * sender, each direction for itself, before gRPC sees a message. Control and bulk have queues of their own.
 */
export interface Link {
  /** One-way delay. Never shorter; due-timer.ts says how much longer. */
  readonly delayMs: number;
  /** Up to this much more, evenly spread, drawn for each message. Order is kept all the same. */
  readonly jitterMs: number;
  /** Messages vanish silently, those on their way too. */
  readonly cut: boolean;
  /** Nothing passes, but nothing is lost: what waits (up to the queue's bound) passes when it is lifted. */
  readonly blackHole: boolean;
  /** Of one lane. 0 = unlimited. */
  readonly bandwidthBytesPerSecond: number;
}

/** A zone, a server, or '*': every server of another zone. */
export type LinkEnd = string | ServerId;

/** What it doesn't name stays as the rules before it left it. */
export interface LinkRule extends Partial<Link> {
  readonly from: LinkEnd;
  readonly to: LinkEnd;
  /** The same for the way back. */
  readonly bothWays?: boolean;
}

export interface Place {
  readonly id: ServerId;
  readonly zone: string;
}

export const PLAIN_LINK: Link = {
  delayMs: 0,
  jitterMs: 0,
  cut: false,
  blackHole: false,
  bandwidthBytesPerSecond: 0,
};

/** The link that the rules make of a direction: all that match, later ones over earlier ones. */
export function linkOf(rules: readonly LinkRule[], from: Place, to: Place): Link {
  let link = PLAIN_LINK;
  for (const { from: ruleFrom, to: ruleTo, bothWays, ...changes } of rules) {
    const forth = matches(ruleFrom, from, to) && matches(ruleTo, to, from);
    const back = bothWays === true && matches(ruleFrom, to, from) && matches(ruleTo, from, to);
    if (forth || back) link = { ...link, ...changes };
  }
  return link;
}

function matches(end: LinkEnd, place: Place, other: Place): boolean {
  if (end === '*') return place.zone !== other.zone;
  return typeof end === 'number' ? end === place.id : end === place.zone;
}

/** Nothing arrives this way, so that a connection neither opens nor is seen to close. */
export function isSilent(link: Link): boolean {
  return link.cut || link.blackHole;
}

/** One-way delays of the default cities: rooms of a city, and between cities. */
export const CITY_DELAY_MS = 0.5;
export const REMOTE_DELAY_MS = 8;

/** The delays of zones that all run on one machine. */
export function cityLinks(zones: readonly { name: string; city: string }[]): LinkRule[] {
  return zones.flatMap((a, i) =>
    zones.slice(i + 1).map((b) => ({
      from: a.name,
      to: b.name,
      bothWays: true,
      delayMs: a.city === b.city ? CITY_DELAY_MS : REMOTE_DELAY_MS,
    })),
  );
}
