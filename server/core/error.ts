/** Every error that a caller may react to has a stable code; the message is for people. */
export class EvenkeelError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EvenkeelError';
    this.code = code;
  }
}
