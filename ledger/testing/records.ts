import { AccountWord, RECORD_WORDS, TransferWord } from '../layout.ts';

// Plain objects with BigInt in place of packed words: for tests only, where speed is no matter.

export interface TransferFields {
  readonly id: bigint;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly amount: bigint;
  readonly pendingId: bigint;
  readonly userData128: bigint;
  readonly userData64: bigint;
  readonly userData32: number;
  readonly timeout: number;
  readonly ledger: number;
  readonly code: number;
  readonly flags: number;
  readonly timestamp: bigint;
}

export interface AccountFields {
  readonly id: bigint;
  readonly debitsPending: bigint;
  readonly debitsPosted: bigint;
  readonly creditsPending: bigint;
  readonly creditsPosted: bigint;
  readonly userData128: bigint;
  readonly userData64: bigint;
  readonly userData32: number;
  readonly reserved: number;
  readonly ledger: number;
  readonly code: number;
  readonly flags: number;
  readonly timestamp: bigint;
}

export function transferOf(fields: Partial<TransferFields>): TransferFields {
  return {
    id: 1n,
    debit: 1n,
    credit: 2n,
    amount: 10n,
    pendingId: 0n,
    userData128: 0n,
    userData64: 0n,
    userData32: 0,
    timeout: 0,
    ledger: 1,
    code: 1,
    flags: 0,
    timestamp: 0n,
    ...fields,
  };
}

export function accountOf(fields: Partial<AccountFields>): AccountFields {
  return {
    id: 1n,
    debitsPending: 0n,
    debitsPosted: 0n,
    creditsPending: 0n,
    creditsPosted: 0n,
    userData128: 0n,
    userData64: 0n,
    userData32: 0,
    reserved: 0,
    ledger: 1,
    code: 1,
    flags: 0,
    timestamp: 0n,
    ...fields,
  };
}

export function packTransfers(transfers: readonly TransferFields[]): Uint32Array {
  const W = TransferWord;
  const words = new Uint32Array(transfers.length * RECORD_WORDS);
  transfers.forEach((transfer, i) => {
    const at = i * RECORD_WORDS;
    putWords(words, at + W.id, 4, transfer.id);
    putWords(words, at + W.debitAccountId, 4, transfer.debit);
    putWords(words, at + W.creditAccountId, 4, transfer.credit);
    putWords(words, at + W.amount, 4, transfer.amount);
    putWords(words, at + W.pendingId, 4, transfer.pendingId);
    putWords(words, at + W.userData128, 4, transfer.userData128);
    putWords(words, at + W.userData64, 2, transfer.userData64);
    words[at + W.userData32] = transfer.userData32;
    words[at + W.timeout] = transfer.timeout;
    words[at + W.ledger] = transfer.ledger;
    words[at + W.codeAndFlags] = (transfer.flags << 16) | transfer.code;
    putWords(words, at + W.timestamp, 2, transfer.timestamp);
  });
  return words;
}

export function packAccounts(accounts: readonly AccountFields[]): Uint32Array {
  const W = AccountWord;
  const words = new Uint32Array(accounts.length * RECORD_WORDS);
  accounts.forEach((account, i) => {
    const at = i * RECORD_WORDS;
    putWords(words, at + W.id, 4, account.id);
    putWords(words, at + W.debitsPending, 4, account.debitsPending);
    putWords(words, at + W.debitsPosted, 4, account.debitsPosted);
    putWords(words, at + W.creditsPending, 4, account.creditsPending);
    putWords(words, at + W.creditsPosted, 4, account.creditsPosted);
    putWords(words, at + W.userData128, 4, account.userData128);
    putWords(words, at + W.userData64, 2, account.userData64);
    words[at + W.userData32] = account.userData32;
    words[at + W.reserved] = account.reserved;
    words[at + W.ledger] = account.ledger;
    words[at + W.codeAndFlags] = (account.flags << 16) | account.code;
    putWords(words, at + W.timestamp, 2, account.timestamp);
  });
  return words;
}

export function unpackTransfer(words: Uint32Array, at: number): TransferFields {
  const W = TransferWord;
  return {
    id: getWords(words, at + W.id, 4),
    debit: getWords(words, at + W.debitAccountId, 4),
    credit: getWords(words, at + W.creditAccountId, 4),
    amount: getWords(words, at + W.amount, 4),
    pendingId: getWords(words, at + W.pendingId, 4),
    userData128: getWords(words, at + W.userData128, 4),
    userData64: getWords(words, at + W.userData64, 2),
    userData32: words[at + W.userData32]!,
    timeout: words[at + W.timeout]!,
    ledger: words[at + W.ledger]!,
    code: words[at + W.codeAndFlags]! & 0xffff,
    flags: words[at + W.codeAndFlags]! >>> 16,
    timestamp: getWords(words, at + W.timestamp, 2),
  };
}

export function unpackAccount(words: Uint32Array, at: number): AccountFields {
  const W = AccountWord;
  return {
    id: getWords(words, at + W.id, 4),
    debitsPending: getWords(words, at + W.debitsPending, 4),
    debitsPosted: getWords(words, at + W.debitsPosted, 4),
    creditsPending: getWords(words, at + W.creditsPending, 4),
    creditsPosted: getWords(words, at + W.creditsPosted, 4),
    userData128: getWords(words, at + W.userData128, 4),
    userData64: getWords(words, at + W.userData64, 2),
    userData32: words[at + W.userData32]!,
    reserved: words[at + W.reserved]!,
    ledger: words[at + W.ledger]!,
    code: words[at + W.codeAndFlags]! & 0xffff,
    flags: words[at + W.codeAndFlags]! >>> 16,
    timestamp: getWords(words, at + W.timestamp, 2),
  };
}

export function idWords(id: bigint): Uint32Array {
  const words = new Uint32Array(4);
  putWords(words, 0, 4, id);
  return words;
}

export function putWords(words: Uint32Array, at: number, count: number, value: bigint): void {
  for (let word = 0; word < count; word += 1) {
    words[at + word] = Number((value >> BigInt(word * 32)) & 0xffff_ffffn);
  }
}

export function getWords(words: Uint32Array, at: number, count: number): bigint {
  let value = 0n;
  for (let word = count - 1; word >= 0; word -= 1)
    value = (value << 32n) | BigInt(words[at + word]!);
  return value;
}
