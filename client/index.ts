export { type ClientOptions, EvenkeelClient } from './client.ts';
export { ClientError, type ClientErrorCode } from './error.ts';
export { accountId, id } from './id.ts';
export * from './read-types.ts';
export type { AccountStatus, TransferStatus } from './status.ts';
export {
  AMOUNT_ALL,
  chain,
  isChainDone,
  type PendingTransfer,
  pending,
  post,
  voidOf,
} from './transfers.ts';
export * from './types.ts';
