/**
 * - `invalid_argument`: the request is wrong; nothing was done. Don't retry.
 * - `not_found`: `accountTransfers` of an account that doesn't exist.
 * - `unavailable`: no server could be asked in time. Nothing was done.
 * - `outcome_unknown`: it was sent, and no answer came in time. It may be booked: ask again with the same id.
 * - `closed`: the client was closed before the answer. As outcome_unknown for what was sent.
 */
export type ClientErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'unavailable'
  | 'outcome_unknown'
  | 'closed';

export class ClientError extends Error {
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: { cause?: unknown }) {
    super(`[${code}] ${message}`, options);
    this.name = 'ClientError';
    this.code = code;
  }
}
