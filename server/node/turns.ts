import { performance } from 'node:perf_hooks';

/** Ticks made up for at once after a stall: messages that wait in the sockets must be heard first. */
const TICKS_AT_ONCE_MAX = 2;

export interface TurnsOptions {
  readonly tickMs: number;
  tick(): void;
  turn(): void;
}

/**
 * When the server core works: once after all inputs of an event-loop round, and on every tick. An input
 * calls `soon`; many inputs make one turn.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #timer: NodeJS.Timeout;
  #immediate: NodeJS.Immediate | null = null;
  #nextTickMs: number;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#nextTickMs = performance.now() + options.tickMs;
    this.#timer = setInterval(() => this.#tick(), options.tickMs);
  }

  soon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null;
      this.#options.turn();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
  }

  #tick(): void {
    const nowMs = performance.now();
    const { tickMs } = this.#options;
    let ticks = 0;
    while (this.#nextTickMs <= nowMs) {
      this.#nextTickMs += tickMs;
      ticks += 1;
    }
    for (let i = 0; i < Math.min(ticks, TICKS_AT_ONCE_MAX); i += 1) this.#options.tick();
    this.soon();
  }
}
