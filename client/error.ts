import { type CallEnd, GrpcStatus } from './connection.ts';

/**
 * - `invalid_argument`: the request is wrong; nothing was done. Don't retry.
 * - `failed_precondition`: the request asks for what is not served, such as a chain over two units
 *   (`not_across_units`: the text names the event); nothing was done. Don't retry.
 * - `already_exists`: `createLedger` of a number or a name that another ledger has.
 * - `not_found`: `accountTransfers` of an account that doesn't exist.
 * - `unavailable`: no server could be asked in time. Nothing was done.
 * - `outcome_unknown`: it was sent, and no answer came in time. It may be booked: ask again with the same id.
 * - `closed`: the client was closed before the answer. As outcome_unknown for what was sent.
 */
export type ClientErrorCode =
  | 'invalid_argument'
  | 'failed_precondition'
  | 'already_exists'
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

/** The error of a call's end that no other try and no other server would change; null if one might. */
export function finalError({ code, details }: CallEnd): ClientError | null {
  switch (code) {
    case GrpcStatus.invalidArgument:
      return new ClientError('invalid_argument', details);
    case GrpcStatus.failedPrecondition:
      return new ClientError('failed_precondition', details);
    case GrpcStatus.alreadyExists:
      return new ClientError('already_exists', details);
    case GrpcStatus.notFound:
      return new ClientError('not_found', details);
    default:
      return null;
  }
}
