import ora, { type Ora } from 'ora';

/** Off a terminal, how often a line says how far it is. */
const PLAIN_EVERY_MS = 5_000;

/** What a long command is doing, on stderr: a live line on a terminal, plain lines elsewhere. */
export class Progress {
  readonly #spinner: Ora | null;
  #plainDueMs = 0;

  constructor() {
    // A terminal without columns, as some tools make, has no line to draw on.
    const { isTTY, columns } = process.stderr;
    this.#spinner = isTTY && columns > 0 ? ora({ stream: process.stderr }) : null;
  }

  /** A new step begins; the one before it is done. */
  step(text: string): void {
    this.done();
    this.#plainDueMs = performance.now() + PLAIN_EVERY_MS;
    if (this.#spinner === null) console.error(text);
    else this.#spinner.start(text);
  }

  /** How far the step is. */
  update(text: string): void {
    if (this.#spinner !== null) {
      this.#spinner.text = text;
    } else if (performance.now() >= this.#plainDueMs) {
      this.#plainDueMs = performance.now() + PLAIN_EVERY_MS;
      console.error(text);
    }
  }

  /** Something that happened, to stay on the screen. */
  note(text: string): void {
    if (this.#spinner === null) {
      console.error(text);
      return;
    }
    const doing = this.#spinner.isSpinning ? this.#spinner.text : null;
    this.#spinner.stopAndPersist({ symbol: '!', text });
    if (doing !== null) this.#spinner.start(doing);
  }

  done(): void {
    if (this.#spinner?.isSpinning) this.#spinner.succeed();
  }

  stop(): void {
    this.#spinner?.stop();
  }
}
