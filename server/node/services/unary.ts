import { type handleUnaryCall, status } from '@grpc/grpc-js';
import {
  decodeAccountBalance,
  decodeAccountTransfers,
  decodeQueryAccounts,
  decodeQueryTransfers,
} from '../../core/codec/read-requests.ts';
import {
  encodeAccountBalance,
  encodeAccounts,
  encodeAccountTransfers,
  encodeQueriedAccounts,
  encodeQueriedTransfers,
  encodeTransfers,
} from '../../core/codec/read-responses.ts';
import {
  decodeCreateAccounts,
  decodeCreateTransfers,
  decodeLookup,
} from '../../core/codec/requests.ts';
import { encodeAccountResults, encodeTransferResults } from '../../core/codec/responses.ts';
import type { Slab } from '../../core/codec/slab.ts';
import { EvenkeelError } from '../../core/error.ts';
import type { Gateway, GatewayDone, RequestHandle } from '../../core/gateway/api.ts';
import { type CallStatus, toCallStatus } from './status.ts';

type Reply = (error: EvenkeelError | null, response?: Buffer) => void;
/** Decodes a request and starts it; throws EvenkeelError if it is malformed. */
type Start = (request: Buffer, reply: Reply) => RequestHandle;

/** Handlers of the Ledger service's calls with one request and one response. */
export function unaryHandlers(gateway: Gateway, slab: Slab, report: Report) {
  return {
    CreateAccounts: handler(gateway, report, (request, reply) => {
      const { records, count } = decodeCreateAccounts(request);
      return gateway.createAccounts(records, count, answer(reply, encodeAccountResults));
    }),
    CreateTransfers: handler(gateway, report, (request, reply) => {
      const { records, count, balances } = decodeCreateTransfers(request, slab);
      const encode = (words: Uint32Array) => encodeTransferResults(words, balances);
      return gateway.createTransfers(records, count, balances, answer(reply, encode));
    }),
    LookupAccounts: handler(gateway, report, (request, reply) => {
      const { ids, count } = decodeLookup(request);
      return gateway.lookupAccounts(ids, count, answer(reply, encodeAccounts));
    }),
    LookupTransfers: handler(gateway, report, (request, reply) => {
      const { ids, count } = decodeLookup(request);
      return gateway.lookupTransfers(ids, count, answer(reply, encodeTransfers));
    }),
    GetAccountTransfers: handler(gateway, report, (request, reply) => {
      const query = decodeAccountTransfers(request);
      return gateway.accountTransfers(query, (error, words, token) => {
        if (error !== null) reply(error);
        else if (words.length === 0)
          reply(new EvenkeelError('account_not_found', 'no such account'));
        else reply(null, encodeAccountTransfers(words, query.balances === true, token));
      });
    }),
    GetAccountBalance: handler(gateway, report, (request, reply) => {
      const { accountId, timestamp } = decodeAccountBalance(request);
      return gateway.accountBalance(accountId, timestamp, (error, words) => {
        if (error !== null) reply(error);
        else if (words.length > 0) reply(null, encodeAccountBalance(words));
        else reply(new EvenkeelError('account_not_found', `no such account${then(timestamp)}`));
      });
    }),
    QueryAccounts: handler(gateway, report, (request, reply) =>
      gateway.queryAccounts(decodeQueryAccounts(request), (error, words, token) => {
        if (error !== null) reply(error);
        else reply(null, encodeQueriedAccounts(words, token));
      }),
    ),
    QueryTransfers: handler(gateway, report, (request, reply) =>
      gateway.queryTransfers(decodeQueryTransfers(request), (error, words, token) => {
        if (error !== null) reply(error);
        else reply(null, encodeQueriedTransfers(words, token));
      }),
    ),
  };
}

function then(timestamp: bigint): string {
  return timestamp === 0n ? '' : ' at that time';
}

/** Called with errors that become INTERNAL: their text stays on the server. */
export type Report = (error: unknown) => void;

export function toReportedStatus(error: unknown, report: Report): CallStatus {
  const callStatus = toCallStatus(error);
  if (callStatus.code === status.INTERNAL) report(error);
  return callStatus;
}

function answer(reply: Reply, encode: (words: Uint32Array) => Buffer): GatewayDone {
  return (error, words) => {
    if (error !== null) reply(error);
    else reply(null, encode(words));
  };
}

export function handler(
  gateway: Pick<Gateway, 'hasRoom'>,
  report: Report,
  start: Start,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    let finished = false;
    let handle: RequestHandle | null = null;
    // grpc-js emits this when the client hangs up, when its deadline passes, and also after the answer.
    call.on('cancelled', () => {
      if (finished) return;
      finished = true;
      handle?.cancel();
    });
    try {
      if (!gateway.hasRoom) throw overloaded();
      handle = start(call.request, (error, response) => {
        if (finished) return;
        finished = true;
        if (error === null) callback(null, response!);
        else callback(toReportedStatus(error, report));
      });
    } catch (error) {
      finished = true;
      callback(toReportedStatus(error, report));
    }
  };
}

/** A stream is read no further; a single call can only be told. */
function overloaded(): EvenkeelError {
  return new EvenkeelError(
    'overloaded',
    'this server holds as many requests as it may; wait, then ask again with the same ids',
  );
}
