import { AccountFlag, AccountWord, TransferWord } from './layout.ts';
import { AccountStatus, TransferStatus } from './status.ts';
import { equal } from './u128.ts';

/** Compares an event with the stored record of its id; the first difference names the status. */
export function existingTransferStatus(
  event: Uint32Array,
  e: number,
  stored: Uint32Array,
  s: number,
): number {
  const W = TransferWord;
  const code = event[e + W.codeAndFlags]! ^ stored[s + W.codeAndFlags]!;
  const differs128 = (word: number) => !equal(event, e + word, stored, s + word);
  const differs32 = (word: number) => event[e + word] !== stored[s + word];
  if (code >>> 16 !== 0) return TransferStatus.exists_with_different_flags;
  if (differs128(W.pendingId)) return TransferStatus.exists_with_different_pending_id;
  if (differs32(W.timeout)) return TransferStatus.exists_with_different_timeout;
  if (differs128(W.debitAccountId)) return TransferStatus.exists_with_different_debit_account_id;
  if (differs128(W.creditAccountId)) return TransferStatus.exists_with_different_credit_account_id;
  if (differs128(W.amount)) return TransferStatus.exists_with_different_amount;
  if (differs128(W.userData128)) return TransferStatus.exists_with_different_user_data_128;
  if (differs32(W.userData64) || differs32(W.userData64 + 1)) {
    return TransferStatus.exists_with_different_user_data_64;
  }
  if (differs32(W.userData32)) return TransferStatus.exists_with_different_user_data_32;
  if (differs32(W.ledger)) return TransferStatus.exists_with_different_ledger;
  if (code !== 0) return TransferStatus.exists_with_different_code;
  return TransferStatus.exists;
}

/** `closed` is left out: a resend after a close is `exists`. */
export function existingAccountStatus(
  event: Uint32Array,
  e: number,
  stored: Uint32Array,
  s: number,
): number {
  const W = AccountWord;
  const code =
    (event[e + W.codeAndFlags]! ^ stored[s + W.codeAndFlags]!) & ~(AccountFlag.closed << 16);
  const differs32 = (word: number) => event[e + word] !== stored[s + word];
  if (code >>> 16 !== 0) return AccountStatus.exists_with_different_flags;
  if (!equal(event, e + W.userData128, stored, s + W.userData128)) {
    return AccountStatus.exists_with_different_user_data_128;
  }
  if (differs32(W.userData64) || differs32(W.userData64 + 1)) {
    return AccountStatus.exists_with_different_user_data_64;
  }
  if (differs32(W.userData32)) return AccountStatus.exists_with_different_user_data_32;
  if (differs32(W.ledger)) return AccountStatus.exists_with_different_ledger;
  if (code !== 0) return AccountStatus.exists_with_different_code;
  return AccountStatus.exists;
}
