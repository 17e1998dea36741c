import { type Transfer, TransferFlag } from '../client/index.ts';

/** What a transfer is, in a word or two. */
export function kindText({ flags, pendingState }: Transfer): string {
  if ((flags & TransferFlag.postPendingTransfer) !== 0) return 'post';
  if ((flags & TransferFlag.voidPendingTransfer) !== 0) return 'void';
  if ((flags & TransferFlag.pending) === 0) return 'transfer';
  return pendingState === 'pending' || pendingState === 'none'
    ? 'pending'
    : `pending (${pendingState})`;
}
