import type { ServerId } from '../consensus/types.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

/** One fault, as data: a plan can be printed, kept and cut down. It ends `forMs` after it began. */
export interface Fault {
  readonly atMs: number;
  readonly forMs: number;
  readonly what:
    | {
        readonly kind: 'kill';
        readonly servers: readonly ServerId[];
        readonly books: BooksInFlight;
      }
    | { readonly kind: 'failSync'; readonly server: ServerId }
    | { readonly kind: 'cut'; readonly from: ServerId; readonly to: ServerId }
    | { readonly kind: 'isolate'; readonly server: ServerId }
    | {
        readonly kind: 'delay';
        readonly from: ServerId;
        readonly to: ServerId;
        readonly ms: number;
      }
    | { readonly kind: 'duplicate'; readonly share: number }
    | { readonly kind: 'pause'; readonly server: ServerId }
    | { readonly kind: 'slowDisk'; readonly server: ServerId; readonly times: number }
    | { readonly kind: 'clock'; readonly server: ServerId; readonly offsetMs: number };
}

/** What becomes of a commit of the books that is under way when the power goes. */
export type BooksInFlight = 'lost' | 'kept';

const SERVERS: readonly ServerId[] = [1, 2, 3];

export function drawPlan(seed: number, lengthMs: number): Fault[] {
  const random = new Random(seed, 'faults');
  const count = 3 + random.below(14);
  const plan: Fault[] = [];
  for (let i = 0; i < count; i += 1) {
    // Many short, few long.
    const forMs = 2 + random.below([30, 900, 900, 3_000][random.below(4)]!);
    const atMs = random.below(random.chance(0.2) ? 1_000 : lengthMs);
    plan.push({ atMs, forMs, what: drawFault(random) });
  }
  return plan.sort((a, b) => a.atMs - b.atMs);
}

function drawFault(random: Random): Fault['what'] {
  const server = SERVERS[random.below(3)]!;
  const to = SERVERS[(server + random.below(2)) % 3]!;
  const books = random.chance(0.5) ? 'kept' : 'lost';
  switch (random.below(13)) {
    case 0:
    case 1:
    case 2:
      return { kind: 'kill', servers: [server], books };
    case 3:
      return { kind: 'kill', servers: [server, to], books };
    case 4:
      return { kind: 'failSync', server };
    case 5:
      return { kind: 'cut', from: server, to };
    case 6:
      return { kind: 'isolate', server };
    case 7:
      return { kind: 'delay', from: server, to, ms: 5 + random.below(300) };
    case 8:
      return { kind: 'duplicate', share: 0.02 + random.below(30) / 100 };
    case 9:
      return { kind: 'slowDisk', server, times: 5 + random.below(500) };
    case 10:
    case 11:
      return { kind: 'pause', server };
    default:
      return { kind: 'clock', server, offsetMs: random.below(20_000) - 10_000 };
  }
}

/**
 * Arranges for the plan's faults to happen, counted from now. Where `seen` is false links heal with
 * nobody noticing: what was lost shows by its missing answer only.
 */
export function schedulePlan(world: World, plan: readonly Fault[], seen: boolean): void {
  for (const fault of plan) {
    const text = JSON.stringify(fault.what);
    world.scheduler.after(fault.atMs * 1_000, `fault ${text}`, () => begin(world, fault));
    world.scheduler.after((fault.atMs + fault.forMs) * 1_000, `end of fault ${text}`, () =>
      end(world, fault.what, seen),
    );
  }
}

function begin(world: World, { what, forMs }: Fault): void {
  switch (what.kind) {
    case 'kill':
      for (const id of what.servers) {
        if (world.host(id).server !== null) world.kill(id, what.books);
      }
      return;
    case 'failSync':
      if (world.host(what.server).server !== null) world.failNextSync(what.server);
      return;
    case 'cut':
      world.network.cut(what.from, what.to);
      return;
    case 'isolate':
      for (const peer of SERVERS) {
        world.network.cut(what.server, peer);
        world.network.cut(peer, what.server);
      }
      return;
    case 'delay':
      world.network.delay(what.from, what.to, what.ms * 1_000);
      return;
    case 'duplicate':
      world.network.duplicates = what.share;
      return;
    case 'pause':
      world.host(what.server).pausedUntilUs = world.scheduler.nowUs + forMs * 1_000;
      return;
    case 'slowDisk':
      world.host(what.server).diskSlowness = what.times;
      return;
    case 'clock':
      world.host(what.server).clockOffsetMs = what.offsetMs;
      return;
  }
}

/** Faults of a plan may overlap: the end of one ends all of its kind at that place. */
function end(world: World, what: Fault['what'], seen: boolean): void {
  switch (what.kind) {
    case 'kill':
      for (const id of what.servers) restart(world, id);
      return;
    case 'failSync':
      world.host(what.server).neverFails();
      restart(world, what.server);
      return;
    case 'cut':
      world.network.mend(what.from, what.to);
      if (seen) world.reconnect(what.from, what.to);
      return;
    case 'isolate':
      for (const peer of SERVERS) {
        world.network.mend(what.server, peer);
        world.network.mend(peer, what.server);
        if (seen && peer !== what.server) world.reconnect(what.server, peer);
      }
      return;
    case 'delay':
      world.network.delay(what.from, what.to, 0);
      return;
    case 'duplicate':
      world.network.duplicates = 0;
      return;
    case 'pause':
      return;
    case 'slowDisk':
      world.host(what.server).diskSlowness = 1;
      return;
    case 'clock':
      world.host(what.server).clockOffsetMs = 0;
      return;
  }
}

function restart(world: World, id: ServerId): void {
  if (world.host(id).server === null) world.restart(id);
}

/** Ends all faults: every server runs, every link is whole. */
export function heal(world: World): void {
  world.network.heal();
  for (const host of world.hosts) {
    host.diskSlowness = 1;
    host.clockOffsetMs = 0;
    host.pausedUntilUs = 0;
    host.neverFails();
    restart(world, host.id);
  }
}
