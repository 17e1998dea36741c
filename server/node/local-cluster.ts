import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../core/environment.ts';
import { EvenkeelError } from '../core/error.ts';
import type { ControlStatus } from './control.ts';
import { control } from './control-client.ts';
import {
  checkPorts,
  configFileOf,
  type LocalClusterPlanOptions,
  planCluster,
  type ServerPlan,
} from './local-cluster-plan.ts';
import type { LinkRule } from './peers/emulation.ts';
import { type ChildExit, describeExit, SupervisedChild } from './supervised-child.ts';

export interface LocalClusterOptions extends LocalClusterPlanOptions {
  readonly log: LogLine;
  /**
   * What runs a server, before `--config FILE --supervised` and perhaps `--drill`: the subcommand of whoever starts the
   * cluster, since this folder knows none.
   */
  readonly command: readonly string[];
}

export type LocalServerState =
  /** No process, and none is coming by itself. */
  | 'down'
  /** Its process has ended; the next one comes within a second. */
  | 'restarting'
  /** Its process runs and isn't ready yet. */
  | 'starting'
  | 'ready'
  /** Its process was told to end. */
  | 'stopping';

export interface LocalServer {
  readonly id: number;
  readonly zone: string;
  /** Null without a process. */
  readonly pid: number | null;
  /** host:port for users. */
  readonly address: string;
  readonly state: LocalServerState;
  readonly folder: string;
}

interface LocalClusterEvents {
  /** A server's process has ended; `asked` if by kill, restart or stop. */
  exit: [{ readonly id: number; readonly asked: boolean } & ChildExit];
  /** A server whose process had ended has a new one; it isn't ready yet. */
  restarted: [{ readonly id: number; readonly pid: number }];
}

interface Slot {
  readonly plan: ServerPlan;
  child: SupervisedChild | null;
  state: LocalServerState;
  /** The end of the present process was asked for. */
  asked: boolean;
  /** It is to stay down then. */
  hold: boolean;
  timer: NodeJS.Timeout | null;
  /** Ends in a row before readiness: they make the pauses longer. */
  failures: number;
}

/** All servers of a cluster must be ready by then: a unit's file takes some syncs to make, on a disk that all share. */
const READY_MS_MAX = 60_000;
const READY_UNIT_MS_MAX = 500;
/** From SIGTERM to SIGKILL. A server gives its books 3 s. */
const STOP_MS_MAX = 5_000;
/** From an end to the next start, doubling while it isn't ready in between. */
const RESTART_MS_MIN = 200;
const RESTART_MS_MAX = 1_000;
const POLL_MS = 20;

/**
 * A cluster on this machine: a process for each server, started again when it dies unasked. None outlives this
 * process, even if that is killed.
 */
export class LocalCluster extends EventEmitter<LocalClusterEvents> {
  readonly #log: LogLine;
  readonly #command: readonly string[];
  readonly #drill: boolean;
  readonly #units: number;
  readonly #slots: readonly Slot[];
  #phase: 'new' | 'starting' | 'running' | 'stopped' = 'new';
  #stopped: Promise<void> | null = null;

  /**
   * Prepares folders and configurations, and starts nothing. Throws `bad_config`, `data_folder_foreign` or, if its
   * ports are fixed, `port_in_use`, and has changed nothing then.
   */
  static async create(options: LocalClusterOptions): Promise<LocalCluster> {
    return new LocalCluster(options, await planCluster(options));
  }

  private constructor(options: LocalClusterOptions, plans: readonly ServerPlan[]) {
    super();
    this.#log = options.log;
    this.#command = options.command;
    this.#drill = options.drill;
    this.#units = options.units;
    this.#slots = plans.map((plan) => ({
      plan,
      child: null,
      state: 'down',
      asked: false,
      hold: false,
      timer: null,
      failures: 0,
    }));
  }

  get servers(): LocalServer[] {
    return this.#slots.map(({ plan, child, state }) => ({
      id: plan.id,
      zone: plan.zone,
      pid: child?.pid ?? null,
      address: plan.address,
      state,
      folder: plan.folder,
    }));
  }

  server(id: number): LocalServer {
    const server = this.servers.find((candidate) => candidate.id === id);
    if (server === undefined) throw new Error(`there is no server ${id}`);
    return server;
  }

  /** Comes back when all servers are ready. Throws `port_in_use`, or `start_failed` with the server's last words. */
  async start(): Promise<void> {
    if (this.#phase !== 'new') throw new Error('a cluster is started once');
    this.#phase = 'starting';
    await checkPorts(this.#slots.map(({ plan }) => plan));
    try {
      this.#mustBe('starting');
      for (const slot of this.#slots) this.#spawn(slot);
      const readyMs = READY_MS_MAX + READY_UNIT_MS_MAX * this.#units;
      await withinMs(readyMs, Promise.all(this.#slots.map((slot) => this.#ready(slot))));
      this.#mustBe('starting');
    } catch (cause) {
      await this.stop();
      const message = `start_failed: ${(cause as Error).message}`;
      throw new EvenkeelError('start_failed', message, { cause });
    }
    this.#phase = 'running';
    // Between its readiness and the last one's a server may have died.
    for (const slot of this.#slots) if (slot.child === null) this.#restartSoon(slot);
  }

  /** Sends a signal to a server's process. If that ends it, it is started again, unless `hold`. */
  kill(id: number, signal: NodeJS.Signals = 'SIGKILL', options: { hold?: boolean } = {}): void {
    const slot = this.#slot(id);
    if (slot.child === null) throw new Error(`server ${id} has no process`);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') {
      slot.asked = true;
      slot.hold = options.hold === true;
    }
    slot.child.kill(signal);
  }

  /** Ends a server's process if it has one, and starts a new one. Comes back when it is ready; needs a quorum. */
  async restart(id: number): Promise<void> {
    const slot = this.#slot(id);
    this.#mustBe('running');
    slot.hold = true;
    await this.#end(slot);
    this.#mustBe('running');
    if (slot.child === null) this.#respawn(slot);
    await this.#ready(slot);
  }

  /** Ends all processes: SIGTERM, and SIGKILL for those that take too long. */
  stop(): Promise<void> {
    this.#phase = 'stopped';
    this.#stopped ??= Promise.all(this.#slots.map((slot) => this.#end(slot))).then(() => {});
    return this.#stopped;
  }

  /** Sets the emulated network of every server that has a process; for drills. */
  async setLinks(rules: readonly LinkRule[]): Promise<void> {
    await this.#controlAll({ command: 'setLinks', rules: [...rules] });
  }

  /** The same, on top of the links that the configuration has. */
  async addLinks(rules: readonly LinkRule[]): Promise<void> {
    await this.setLinks([...(this.#slots[0]?.plan.config.links ?? []), ...rules]);
  }

  /** Messages that cut links have swallowed so far, over all servers. */
  async vanished(): Promise<number> {
    const views = (await this.#controlAll({ command: 'status' })) as ControlStatus[];
    const lanes = views.flatMap(({ peers }) => peers.flatMap((peer) => peer.lanes));
    return lanes.reduce((sum, lane) => sum + lane.vanished, 0);
  }

  async resetLinks(): Promise<void> {
    await this.#controlAll({ command: 'resetLinks' });
  }

  async #controlAll(command: Parameters<typeof control>[1]): Promise<unknown[]> {
    const running = this.#slots.filter(({ state }) => state === 'ready' || state === 'starting');
    return Promise.all(running.map(({ plan }) => control(plan.controlPort, command)));
  }

  #spawn(slot: Slot): void {
    const { id, zone, folder } = slot.plan;
    const flags = [
      '--config',
      configFileOf(folder),
      '--supervised',
      ...(this.#drill ? ['--drill'] : []),
    ];
    const child = new SupervisedChild([...this.#command, ...flags], join(folder, 'server.log'));
    slot.child = child;
    slot.state = 'starting';
    slot.asked = false;
    slot.hold = false;
    this.#log('info', 'server started', { server: id, zone, pid: child.pid });
    child.ready.then(
      () => {
        slot.failures = 0;
        if (slot.state === 'starting') slot.state = 'ready';
      },
      () => {}, // told by its exit
    );
    void child.exited.then((exit) => this.#exited(slot, exit));
  }

  #exited(slot: Slot, exit: ChildExit): void {
    const { id, zone } = slot.plan;
    const { asked } = slot;
    const level = asked ? 'info' : 'error';
    this.#log(level, `server ${describeExit(exit)}`, { server: id, zone, asked });
    if (slot.state === 'starting') slot.failures += 1;
    slot.child = null;
    slot.state = 'down';
    this.emit('exit', { id, asked, ...exit });
    const killedEarly = this.#phase === 'starting' && exit.signal !== null;
    if ((this.#phase === 'running' || killedEarly) && !slot.hold) this.#restartSoon(slot);
  }

  #restartSoon(slot: Slot): void {
    if (slot.child !== null || slot.timer !== null) return;
    slot.state = 'restarting';
    const waitMs = Math.min(RESTART_MS_MIN * 2 ** slot.failures, RESTART_MS_MAX);
    slot.timer = setTimeout(() => this.#respawn(slot), waitMs);
  }

  #respawn(slot: Slot): void {
    slot.timer = null;
    try {
      this.#spawn(slot);
    } catch (error) {
      // Its folder, most likely: a server's trouble must not end the others.
      this.#log('error', 'server not started', { server: slot.plan.id, error: String(error) });
      slot.failures += 1;
      this.#restartSoon(slot);
      return;
    }
    this.emit('restarted', { id: slot.plan.id, pid: slot.child?.pid ?? 0 });
  }

  async #end(slot: Slot): Promise<void> {
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = null;
    const { child } = slot;
    if (child === null) {
      slot.state = 'down';
      return;
    }
    slot.asked = true;
    slot.state = 'stopping';
    child.kill('SIGTERM');
    child.kill('SIGCONT'); // a stopped process would not hear the first
    const timer = setTimeout(() => {
      this.#log('warn', 'server does not stop: killed', { server: slot.plan.id });
      child.kill('SIGKILL');
    }, STOP_MS_MAX);
    await child.exited;
    clearTimeout(timer);
  }

  #mustBe(phase: 'starting' | 'running'): void {
    if (this.#phase !== phase) throw new Error(`the cluster is ${this.#phase}`);
  }

  /** A server that is killed meanwhile is waited for again; one that ends by itself won't come. */
  async #ready(slot: Slot): Promise<void> {
    for (;;) {
      while (slot.child === null) {
        if (this.#phase === 'stopped') throw new Error('the cluster is stopped');
        await sleep(POLL_MS);
      }
      const { child } = slot;
      try {
        await child.ready;
        return;
      } catch (cause) {
        const { signal } = await child.exited;
        if (signal !== null && this.#phase !== 'stopped') continue;
        const { id, zone } = slot.plan;
        throw new Error(`server ${id} (${zone}) ${(cause as Error).message}`, { cause });
      }
    }
  }

  #slot(id: number): Slot {
    const slot = this.#slots.find(({ plan }) => plan.id === id);
    if (slot === undefined) throw new Error(`there is no server ${id}`);
    return slot;
  }
}

async function withinMs(limitMs: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not ready within ${limitMs} ms`)), limitMs);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
