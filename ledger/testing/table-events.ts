import { U128_MAX } from './oracle-flags.ts';
import { type AccountFields, accountOf, type TransferFields, transferOf } from './records.ts';
import type { TableLine } from './table.ts';

const ACCOUNT_FLAGS = [
  'linked',
  'debits_must_not_exceed_credits',
  'credits_must_not_exceed_debits',
  'history',
  'imported',
  'closed',
  'spread',
];
const TRANSFER_FLAGS = [
  'linked',
  'pending',
  'post_pending_transfer',
  'void_pending_transfer',
  'balancing_debit',
  'balancing_credit',
  'closing_debit',
  'closing_credit',
  'imported',
];

/** What the names in a table stand for at a moment of the run. */
export interface Names {
  account(name: string): bigint;
  time(expression: string): bigint;
  newId(): bigint;
}

/** The event of a line that begins with its verb. */
export function accountEvent({ words, fields }: TableLine, names: Names): AccountFields {
  const [, id = '', ...flags] = words;
  return changeAccount(accountOf({ id: idOf(id, names) }), flags, fields, names);
}

/** `words` and `fields` as on a ladder's rung: those named are set. */
export function changeAccount(
  event: AccountFields,
  words: readonly string[],
  fields: ReadonlyMap<string, string>,
  names: Names,
): AccountFields {
  const changed: Record<string, unknown> = { ...event };
  if (words.length > 0) changed.flags = flagsOf(words, ACCOUNT_FLAGS);
  for (const [name, text] of fields) {
    if (name === 'id') changed.id = idOf(text, names);
    else if (name === 'timestamp') changed.timestamp = names.time(text);
    else changed[fieldOf(name, event)] = numberOf(name, text, event);
  }
  return accountOf(changed);
}

export function transferEvent({ words, fields }: TableLine, names: Names): TransferFields {
  const [verb, id = '', first = '', second = '', ...rest] = words;
  if (verb === 'transfer') {
    const [amount = '', ...flags] = rest;
    const debit = names.account(first);
    const credit = names.account(second);
    const event = transferOf({ id: idOf(id, names), debit, credit, amount: amountOf(amount) });
    return changeTransfer(event, flags, fields, names);
  }
  const isPost = verb === 'post';
  if (first !== 'of') throw new Error(`'${verb} ${id}' names no pending transfer`);
  const event = transferOf({
    id: idOf(id, names),
    debit: 0n,
    credit: 0n,
    amount: isPost ? U128_MAX : 0n,
    pendingId: idOf(second, names),
    ledger: 0,
    code: 0,
  });
  const flags = [isPost ? 'post_pending_transfer' : 'void_pending_transfer', ...rest];
  return changeTransfer(event, flags, fields, names);
}

export function changeTransfer(
  event: TransferFields,
  words: readonly string[],
  fields: ReadonlyMap<string, string>,
  names: Names,
): TransferFields {
  const changed: Record<string, unknown> = { ...event };
  if (words.length > 0) changed.flags = flagsOf(words, TRANSFER_FLAGS);
  for (const [name, text] of fields) {
    if (name === 'id' || name === 'pendingId') changed[name] = idOf(text, names);
    else if (name === 'debit' || name === 'credit') changed[name] = names.account(text);
    else if (name === 'timestamp') changed.timestamp = names.time(text);
    else changed[fieldOf(name, event)] = numberOf(name, text, event);
  }
  return transferOf(changed);
}

/** `max`, `max-3`, `2^64`, `0`, `10`. */
export function amountOf(text: string): bigint {
  const [, base = '', sign = '+', by = '0'] = /^(max|2\^\d+|\d+)(?:([+-])(\d+))?$/.exec(text) ?? [];
  if (base === '') throw new Error(`'${text}' is no amount`);
  const [two, power] = base.split('^');
  const whole = power === undefined ? base : String(BigInt(two!) ** BigInt(power));
  const value = base === 'max' ? U128_MAX : BigInt(whole);
  return sign === '-' ? value - BigInt(by) : value + BigInt(by);
}

function idOf(text: string, names: Names): bigint {
  if (text === 'new') return names.newId();
  return /^[A-Z]/.test(text) ? names.account(text) : amountOf(text);
}

function numberOf(name: string, text: string, event: object): bigint | number {
  const value = amountOf(text);
  const old: unknown = Object.entries(event).find(([key]) => key === name)?.[1];
  return typeof old === 'bigint' ? value : Number(value);
}

function fieldOf(name: string, event: object): string {
  if (!(name in event)) throw new Error(`there is no field '${name}'`);
  return name;
}

function flagsOf(words: readonly string[], known: readonly string[]): number {
  return words.reduce((flags, word) => {
    if (word === 'plain') return flags;
    const bit = /^bit\d+$/.test(word) ? Number(word.slice('bit'.length)) : known.indexOf(word);
    if (bit < 0) throw new Error(`there is no flag '${word}'`);
    return flags | (1 << bit);
  }, 0);
}
