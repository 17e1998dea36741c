import { decodeMembership } from '../../../consensus/membership.ts';
import { SLOT_COUNT } from '../../../ledger/layout.ts';
import type { BooksState } from '../books-copy.ts';

const U64S = ['lastTimestamp', 'lastRowTimestamp'] as const;
const COUNTS = [
  'unit',
  'index',
  'term',
  'transferCount',
  'requestedCount',
  'burntCount',
  'decisionCount',
  'rowSum',
  'burntSum',
] as const;

/** As ASCII bytes of JSON: it goes over once a copy, and people can read it. */
export function encodeState(state: BooksState): Uint8Array {
  const text = JSON.stringify({
    ...state,
    lastTimestamp: String(state.lastTimestamp),
    lastRowTimestamp: String(state.lastRowTimestamp),
    membership: state.membership && [...state.membership],
    slots: state.slots && [...state.slots],
  });
  return asciiBytes(text);
}

/** null if these are not the bytes of a state. */
export function decodeState(bytes: Uint8Array): BooksState | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(asciiText(bytes));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const found = parsed as Record<string, unknown>;
  for (const name of COUNTS) {
    if (!Number.isSafeInteger(found[name]) || (found[name] as number) < 0) return null;
  }
  for (const name of U64S) if (!isU64Text(found[name])) return null;
  if (typeof found.digest !== 'string' || !/^[0-9a-f]{16}$/.test(found.digest)) return null;
  if (found.membership !== null && !isMembership(found.membership)) return null;
  if (found.slots !== null && !isNumbers(found.slots, 65_536)) return null;
  const state = found as unknown as Record<(typeof COUNTS)[number], number>;
  const slots = found.slots === null ? null : Uint16Array.from(found.slots as number[]);
  if (slots !== null && slots.length !== SLOT_COUNT) return null;
  return {
    unit: state.unit,
    index: state.index,
    term: state.term,
    lastTimestamp: BigInt(found.lastTimestamp as string),
    lastRowTimestamp: BigInt(found.lastRowTimestamp as string),
    digest: found.digest,
    transferCount: state.transferCount,
    requestedCount: state.requestedCount,
    burntCount: state.burntCount,
    decisionCount: state.decisionCount,
    rowSum: state.rowSum,
    burntSum: state.burntSum,
    membership: found.membership === null ? null : Uint8Array.from(found.membership as number[]),
    slots,
  };
}

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

export function asciiText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte & 0x7f);
  return text;
}

function isU64Text(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}

function isMembership(value: unknown): boolean {
  if (!isNumbers(value, 256)) return false;
  try {
    decodeMembership(Uint8Array.from(value as number[]));
    return true;
  } catch {
    return false;
  }
}

function isNumbers(value: unknown, end: number): boolean {
  return (
    Array.isArray(value) &&
    value.every((word) => Number.isInteger(word) && (word as number) >= 0 && (word as number) < end)
  );
}
