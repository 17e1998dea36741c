import { Connection } from './connection.ts';

const DELAY_MS_MIN = 20;
const DELAY_MS_MAX = 1_000;

/** The servers a client may ask, and its connections to them. */
export class Servers {
  readonly #addresses: readonly string[];
  readonly #connections = new Map<string, Connection>();
  /** Where the last call succeeded: everything starts there. */
  #preferred = 0;

  readonly #silenceTimeoutMs: number;

  constructor(addresses: readonly string[], silenceTimeoutMs: number) {
    this.#addresses = addresses;
    this.#silenceTimeoutMs = silenceTimeoutMs;
  }

  /** The address to try after so many failures in a row, having started from `start`. */
  address(start: number, failures: number): string {
    return this.#addresses[(start + failures) % this.#addresses.length]!;
  }

  get preferred(): number {
    return this.#preferred;
  }

  /** Returns the position of that address. */
  succeeded(address: string): number {
    this.#preferred = this.#addresses.indexOf(address);
    return this.#preferred;
  }

  /**
   * How long to wait before the next try: not at all while there are servers that were not asked, then
   * ever longer, with jitter so that clients don't come back all at once.
   */
  delayMs(failures: number): number {
    const rounds = failures - this.#addresses.length;
    if (rounds < 0) return 0;
    const delayMs = Math.min(DELAY_MS_MIN * 2 ** Math.min(rounds, 16), DELAY_MS_MAX);
    return delayMs * (0.5 + Math.random() / 2);
  }

  /** The time-out grows with every round over all servers: slow is not dead. */
  timeoutMs(baseMs: number, failures: number): number {
    return baseMs * 2 ** Math.min(Math.floor(failures / this.#addresses.length), 4);
  }

  /** The open or opening connection to a server. */
  connection(address: string, connectTimeoutMs: number): Connection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const connection = new Connection(address, connectTimeoutMs, this.#silenceTimeoutMs, () => {
      if (this.#connections.get(address) === connection) this.#connections.delete(address);
    });
    this.#connections.set(address, connection);
    return connection;
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.destroy('client closed');
  }
}
