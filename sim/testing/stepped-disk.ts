import { SimDisk } from '../disk.ts';

/** A simulated disk whose operations complete one by one when asked. */
export class SteppedDisk {
  readonly disk: SimDisk;
  readonly #waiting: (() => void)[] = [];

  constructor(from?: SimDisk) {
    const schedule = (_kind: string, _bytes: number, complete: () => void) => {
      this.#waiting.push(complete);
    };
    this.disk = from === undefined ? new SimDisk(schedule) : from.fork(schedule);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Completes one operation; false if there is none. */
  complete(): boolean {
    const complete = this.#waiting.shift();
    complete?.();
    return complete !== undefined;
  }

  drain(): void {
    while (this.complete());
  }

  /** The process has died: what it had asked for does not come any more. */
  forget(): void {
    this.#waiting.length = 0;
  }
}
