import type { Gateway } from '../../core/gateway/api.ts';

/** Lets any number of streams wait for the gateway's room with one `onRoom` at a time. */
export class Room {
  readonly #gateway: Gateway;
  readonly #waiting = new Set<() => void>();
  #asked = false;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  get available(): boolean {
    return this.#gateway.hasRoom;
  }

  /** `callback` is called once. */
  wait(callback: () => void): void {
    this.#waiting.add(callback);
    if (this.#asked) return;
    this.#asked = true;
    this.#gateway.onRoom(() => {
      this.#asked = false;
      const callbacks = [...this.#waiting];
      this.#waiting.clear();
      for (const waiter of callbacks) waiter();
    });
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }
}
