import {
  AccountWord,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { AccountTag, TransferTag } from './fields.ts';
import type { Writer } from './writer.ts';

/**
 * Accounts, transfers and balances as parts of responses. The caps are the longest that each can be: a u128
 * takes 18 bytes with tag and length, a u64 9, a u32 6, a u16 4.
 */
export const ACCOUNT_BYTES_MAX = 3 + 6 * 18 + 2 * 9 + 2 * 6 + 2 * 4;
export const TRANSFER_BYTES_MAX = 3 + 6 * 18 + 3 * 9 + 3 * 6 + 3 * 4;
export const BALANCES_BYTES_MAX = 2 + 4 * 18;

const NS_PER_SECOND = 1_000_000_000n;

/** `base`: of an account record. */
export function writeAccount(writer: Writer, tag: number, words: Uint32Array, base: number): void {
  const start = writer.open(tag);
  writer.u128(AccountTag.id, words, base + AccountWord.id);
  writer.u128(AccountTag.debitsPending, words, base + AccountWord.debitsPending);
  writer.u128(AccountTag.debitsPosted, words, base + AccountWord.debitsPosted);
  writer.u128(AccountTag.creditsPending, words, base + AccountWord.creditsPending);
  writer.u128(AccountTag.creditsPosted, words, base + AccountWord.creditsPosted);
  writer.u128(AccountTag.userData128, words, base + AccountWord.userData128);
  writer.fixed64(AccountTag.userData64, words, base + AccountWord.userData64);
  writer.uint32(AccountTag.userData32, words[base + AccountWord.userData32]!);
  writer.uint32(AccountTag.ledger, words[base + AccountWord.ledger]!);
  const codeAndFlags = words[base + AccountWord.codeAndFlags]!;
  writer.uint32(AccountTag.code, codeAndFlags & 0xffff);
  writer.uint32(AccountTag.flags, codeAndFlags >>> 16);
  writer.fixed64(AccountTag.timestamp, words, base + AccountWord.timestamp);
  writer.close(start);
}

/** `base`: of a transfer row that carries its pending state. */
export function writeTransfer(writer: Writer, tag: number, words: Uint32Array, base: number): void {
  const start = writer.open(tag);
  writer.u128(TransferTag.id, words, base + TransferWord.id);
  writer.u128(TransferTag.debitAccountId, words, base + TransferWord.debitAccountId);
  writer.u128(TransferTag.creditAccountId, words, base + TransferWord.creditAccountId);
  writer.u128(TransferTag.amount, words, base + TransferWord.amount);
  writer.u128(TransferTag.pendingId, words, base + TransferWord.pendingId);
  writer.u128(TransferTag.userData128, words, base + TransferWord.userData128);
  writer.fixed64(TransferTag.userData64, words, base + TransferWord.userData64);
  writer.uint32(TransferTag.userData32, words[base + TransferWord.userData32]!);
  writer.uint32(TransferTag.timeout, words[base + TransferWord.timeout]!);
  writer.uint32(TransferTag.ledger, words[base + TransferWord.ledger]!);
  const codeAndFlags = words[base + TransferWord.codeAndFlags]!;
  writer.uint32(TransferTag.code, codeAndFlags & 0xffff);
  writer.uint32(TransferTag.flags, codeAndFlags >>> 16);
  writer.fixed64(TransferTag.timestamp, words, base + TransferWord.timestamp);
  writer.uint32(TransferTag.pendingState, words[base + TransferRowWord.pendingState]!);
  writeExpiry(writer, words, base);
  writer.close(start);
}

function writeExpiry(writer: Writer, words: Uint32Array, base: number): void {
  const timeout = words[base + TransferWord.timeout]!;
  const flags = words[base + TransferWord.codeAndFlags]! >>> 16;
  if (timeout === 0 || (flags & TransferFlag.pending) === 0) return;
  const booked = u64At(words, base + TransferWord.timestamp);
  const expires = booked + BigInt(timeout) * NS_PER_SECOND;
  const lo = Number(expires & 0xffff_ffffn);
  const hi = Number((expires >> 32n) & 0xffff_ffffn);
  writer.fixed64(TransferTag.expiresTimestamp, Uint32Array.of(lo, hi), 0);
}

/** `base`: of BALANCES_WORDS. */
export function writeBalances(writer: Writer, tag: number, words: Uint32Array, base: number): void {
  const start = writer.open(tag);
  writer.u128(0x0a, words, base);
  writer.u128(0x12, words, base + 4);
  writer.u128(0x1a, words, base + 8);
  writer.u128(0x22, words, base + 12);
  writer.close(start);
}
