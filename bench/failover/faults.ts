import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EvenkeelClient } from '../../client/index.ts';
import type { LinkRule, LocalCluster } from '../../server/node/index.ts';
import type { Round } from './plan.ts';

/** A server, and the units that it led when the fault came. */
export interface Leading {
  readonly id: number;
  readonly zone: string;
  readonly leads: readonly number[];
}

/** What was done, and whether it can have hurt. */
export interface Struck {
  /** As a person would say it. */
  readonly text: string;
  /** Zones whose own server was the victim. */
  readonly lostZones: readonly string[];
  /** Units whose leader was hit: their clients must have felt it. */
  readonly affected: ReadonlySet<number>;
  /** The process did end or stop, or messages did vanish. */
  readonly happened: boolean;
}

const RETURN_MS_MAX = 60_000;
const DRAIN_MS_MAX = 30_000;
const POLL_MS = 10;

/**
 * Does a round's fault to the cluster and heals it; comes back when all servers are ready. `servers` in the order of
 * what they lead, most first.
 */
export async function strike(
  cluster: LocalCluster,
  operator: EvenkeelClient,
  round: Round,
  servers: readonly Leading[],
  now: () => void,
): Promise<Struck> {
  const leading = servers.filter(({ leads }) => leads.length > 0);
  const { rank } = round;
  const victim = rank === null ? servers.at(-1)! : leading[rank % leading.length]!;
  const other = servers.filter((server) => server !== victim)[round.otherRank]!;
  const alone = { lostZones: [victim.zone], affected: new Set(victim.leads) };
  const both = {
    lostZones: [victim.zone, other.zone],
    affected: new Set([...victim.leads, ...other.leads]),
  };
  const { holdMs, betweenMs } = round;
  const led = (server: Leading) => `${server.zone} (led ${server.leads.join(', ') || 'nothing'})`;
  const between = (rules: readonly Cut[]) => cut(cluster, rules, holdMs, now);
  switch (round.kind) {
    case 'kill':
    case 'stop': {
      const signal = round.kind === 'kill' ? 'SIGKILL' : 'SIGTERM';
      const happened = await end(cluster, victim.id, signal, now);
      await sleep(holdMs);
      await cluster.restart(victim.id);
      return { ...alone, happened, text: `${signal} ${led(victim)}, back after ${holdMs} ms` };
    }
    case 'drain': {
      now();
      await operator.drainZone(victim.zone);
      await untilLeadsNothing(operator, victim.id);
      const happened = await end(cluster, victim.id, 'SIGTERM', () => {});
      await sleep(holdMs);
      await cluster.restart(victim.id);
      await operator.restoreZone(victim.zone);
      return { ...alone, happened, text: `drained ${led(victim)}, stopped for ${holdMs} ms` };
    }
    case 'kill twice': {
      const first = await end(cluster, victim.id, 'SIGKILL', now);
      const starting = cluster.restart(victim.id);
      await sleep(betweenMs);
      const second = await end(cluster, victim.id, 'SIGKILL', () => {});
      // Killed while it starts, it is waited for once more by whoever started it.
      await cluster.restart(victim.id);
      await starting;
      return { ...alone, happened: first && second, text: `SIGKILL twice ${led(victim)}` };
    }
    case 'kill two': {
      const ended = Promise.all([
        end(cluster, victim.id, 'SIGKILL', now),
        end(cluster, other.id, 'SIGKILL', () => {}),
      ]);
      const happened = (await ended).every(Boolean);
      await Promise.all([cluster.restart(victim.id), cluster.restart(other.id)]);
      const text = `SIGKILL ${led(victim)} and ${led(other)}`;
      return { ...both, affected: everyUnit(servers), happened, text };
    }
    case 'kill next': {
      const first = await end(cluster, victim.id, 'SIGKILL', now);
      const back = cluster.restart(victim.id);
      await sleep(250 + betweenMs);
      const second = await end(cluster, other.id, 'SIGKILL', () => {});
      await Promise.all([back, cluster.restart(other.id)]);
      const text = `SIGKILL ${led(victim)}, then ${led(other)} while it comes back`;
      return { ...both, affected: everyUnit(servers), happened: first && second, text };
    }
    case 'pause': {
      const { pid } = cluster.server(victim.id);
      now();
      cluster.kill(victim.id, 'SIGSTOP');
      const untilMs = performance.now() + holdMs;
      let happened = false;
      for (; performance.now() < untilMs; await sleep(POLL_MS)) happened ||= isStopped(pid!);
      cluster.kill(victim.id, 'SIGCONT');
      return { ...alone, happened, text: `SIGSTOP ${led(victim)} for ${holdMs} ms` };
    }
    case 'isolate': {
      const happened = await between([{ from: victim.zone, to: '*', bothWays: true }]);
      return { ...alone, happened, text: `all links of ${led(victim)} cut for ${holdMs} ms` };
    }
    case 'cut out': {
      const happened = await between([{ from: victim.zone, to: '*' }]);
      return { ...alone, happened, text: `${led(victim)} not heard for ${holdMs} ms` };
    }
    case 'cut in': {
      const happened = await between([{ from: '*', to: victim.zone }]);
      return { ...alone, happened, text: `${led(victim)} hears nothing for ${holdMs} ms` };
    }
    case 'cut pair': {
      const happened = await between([{ from: victim.zone, to: other.zone, bothWays: true }]);
      return { ...both, happened, text: `${led(victim)} and ${led(other)} cut for ${holdMs} ms` };
    }
    case 'cut pair one way': {
      const happened = await between([{ from: victim.zone, to: other.zone }]);
      return { ...both, happened, text: `${led(victim)} not heard by ${led(other)}, ${holdMs} ms` };
    }
  }
}

async function untilLeadsNothing(operator: EvenkeelClient, server: number): Promise<void> {
  const untilMs = performance.now() + DRAIN_MS_MAX;
  for (;;) {
    const { units, registryLeaderServerId } = await operator.topology();
    const leaders = [registryLeaderServerId, ...units.map(({ leaderServerId }) => leaderServerId)];
    if (leaders.every((id) => id !== 0 && id !== server)) return;
    if (performance.now() > untilMs) throw new Error(`server ${server} still leads`);
    await sleep(POLL_MS);
  }
}

type Cut = Pick<LinkRule, 'from' | 'to' | 'bothWays'>;

async function cut(
  cluster: LocalCluster,
  rules: readonly Cut[],
  holdMs: number,
  now: () => void,
): Promise<boolean> {
  const before = await cluster.vanished();
  now();
  await cluster.addLinks(rules.map((rule) => ({ ...rule, cut: true })));
  await sleep(holdMs);
  const after = await cluster.vanished();
  await cluster.resetLinks();
  return after > before;
}

/** True if the signal ended the process: not if it had ended before. */
async function end(
  cluster: LocalCluster,
  id: number,
  signal: 'SIGKILL' | 'SIGTERM',
  now: () => void,
): Promise<boolean> {
  const untilMs = performance.now() + RETURN_MS_MAX;
  while (cluster.server(id).pid === null) {
    if (performance.now() > untilMs) throw new Error(`server ${id} has no process to end`);
    await sleep(POLL_MS);
  }
  const ended = new Promise<boolean>((resolve) => {
    const onExit = (exit: { id: number; code: number | null; signal: string | null }) => {
      if (exit.id !== id) return;
      cluster.off('exit', onExit);
      resolve(signal === 'SIGKILL' ? exit.signal === signal : exit.code === 0);
    };
    cluster.on('exit', onExit);
  });
  now();
  cluster.kill(id, signal, { hold: true });
  return ended;
}

/** Linux shows a process that SIGSTOP has reached as T. */
function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

function everyUnit(servers: readonly Leading[]): ReadonlySet<number> {
  return new Set(servers.flatMap(({ leads }) => leads));
}
