import type { Random } from './random.ts';

interface Event {
  readonly timeUs: number;
  /** Same-time events run in an order drawn from the seed, so that nothing can come to rely on one. */
  readonly shuffle: number;
  readonly sequence: number;
  readonly label: string;
  readonly run: () => void;
}

/** Simulated time: the only thing that makes anything happen. A binary heap over (time, shuffle, sequence). */
export class Scheduler {
  readonly #random: Random;
  readonly #heap: Event[] = [];
  #nowUs = 0;
  #sequence = 0;
  /** FNV-1a over (time, label) of every event that ran: equal runs have equal hashes. */
  #hash = 0x811c_9dc5;
  #ran = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  get eventsRun(): number {
    return this.#ran;
  }

  /** Of the run so far: 8 hex digits. */
  get runHash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }

  /** Mixes a fact into the run hash, so that a difference in it is a difference of the run. */
  note(text: string): void {
    let hash = this.#hash;
    for (let i = 0; i < text.length; i += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
    }
    this.#hash = hash >>> 0;
  }

  after(delayUs: number, label: string, run: () => void): void {
    if (!(delayUs >= 0)) throw new RangeError(`event ${label}: delay ${delayUs} us`);
    const timeUs = this.#nowUs + Math.round(delayUs);
    this.#sequence += 1;
    this.#push({ timeUs, shuffle: this.#random.next(), sequence: this.#sequence, label, run });
  }

  /** Runs events until the time is reached or `until` says so. */
  run(untilUs: number, until: () => boolean = () => false): void {
    while (this.#heap.length > 0 && this.#heap[0]!.timeUs <= untilUs) {
      const event = this.#pop();
      this.#nowUs = event.timeUs;
      this.#ran += 1;
      this.note(`${event.timeUs} ${event.label}`);
      event.run();
      if (until()) return;
    }
    this.#nowUs = Math.max(this.#nowUs, untilUs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    while (true) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  if (a.shuffle !== b.shuffle) return a.shuffle < b.shuffle;
  return a.sequence < b.sequence;
}
