import { status } from '@grpc/grpc-js';
import { EvenkeelError } from '../../core/error.ts';

/** What a client gets to see of an error. */
export interface CallStatus {
  readonly code: status;
  readonly details: string;
}

/** The one place where the server's error codes become gRPC's. proto/evenkeel/v1 tells users. */
export function toCallStatus(error: unknown): CallStatus {
  if (!(error instanceof EvenkeelError))
    return { code: status.INTERNAL, details: 'internal error' };
  const details = error.message;
  switch (error.code) {
    case 'invalid_request':
    case 'unknown_ledger':
      return { code: status.INVALID_ARGUMENT, details };
    case 'ledger_differs':
    case 'ledger_name_taken':
    case 'member_exists':
      return { code: status.ALREADY_EXISTS, details };
    case 'not_across_units':
    case 'too_many_ledgers':
    case 'server_id_used':
    case 'zone_unknown':
    case 'too_many_servers':
    case 'last_voter':
    case 'quorum_at_risk':
    case 'change_in_flight':
      return { code: status.FAILED_PRECONDITION, details };
    case 'account_not_found':
    case 'member_unknown':
      return { code: status.NOT_FOUND, details };
    case 'overloaded':
    case 'disk_full':
      return { code: status.RESOURCE_EXHAUSTED, details };
    case 'unavailable':
      return { code: status.UNAVAILABLE, details };
    // UNAVAILABLE, because gRPC's own DEADLINE_EXCEEDED means that the client's time is up and it should give in.
    case 'outcome_unknown':
      return { code: status.UNAVAILABLE, details: `outcome_unknown: ${details}` };
    default:
      return { code: status.INTERNAL, details: `internal error (${error.code})` };
  }
}
