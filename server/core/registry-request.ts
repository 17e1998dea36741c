import { type ClusterChange, changeProblem } from './cluster-change.ts';
import { ledgerProblem } from './ledger-definition.ts';
import { RequestKind, type RequestMessage } from './messages.ts';
import { asWords } from './router.ts';
import type { LedgerDefinition } from './topology.ts';

/** Number, scale, length of the name in bytes; the name follows, filled up to whole words with zeros. */
const HEADER_WORDS = 3;
const WORD_BYTES = 4;

export function encodeLedgers(ledgers: readonly LedgerDefinition[]): Uint32Array {
  const names = ledgers.map(({ currency }) => new TextEncoder().encode(currency));
  let length = 0;
  for (const name of names) length += HEADER_WORDS + nameWords(name.length);
  const words = new Uint32Array(length);
  let at = 0;
  ledgers.forEach(({ ledger, scale }, i) => {
    const name = names[i]!;
    words[at] = ledger;
    words[at + 1] = scale;
    words[at + 2] = name.length;
    new Uint8Array(words.buffer, (at + HEADER_WORDS) * WORD_BYTES, name.length).set(name);
    at += HEADER_WORDS + nameWords(name.length);
  });
  return words;
}

/** Throws RangeError or TypeError where the words are no list of ledgers. */
export function decodeLedgers(words: Uint32Array): LedgerDefinition[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const ledgers: LedgerDefinition[] = [];
  for (let at = 0; at < words.length; ) {
    const nameBytes = words[at + 2];
    const end = at + HEADER_WORDS + nameWords(nameBytes ?? Number.POSITIVE_INFINITY);
    if (nameBytes === undefined || end > words.length) throw new RangeError('a ledger is cut off');
    const name = words.slice(at + HEADER_WORDS, end);
    ledgers.push({
      ledger: words[at]!,
      scale: words[at + 1]!,
      currency: decoder.decode(new Uint8Array(name.buffer, 0, nameBytes)),
    });
    at = end;
  }
  return ledgers;
}

/** Length of the text in bytes, then the text, filled up to whole words with zeros; nothing for null. */
export function encodeJson(value: object | null): Uint32Array {
  if (value === null) return new Uint32Array(0);
  const text = new TextEncoder().encode(JSON.stringify(value));
  const words = new Uint32Array(1 + nameWords(text.length));
  words[0] = text.length;
  new Uint8Array(words.buffer, WORD_BYTES, text.length).set(text);
  return words;
}

/** Throws RangeError, TypeError or SyntaxError where the words are none. The content is the caller's to check. */
export function decodeJson(words: Uint32Array): unknown {
  if (words.length === 0) return null;
  const bytes = words[0]!;
  if (words.length !== 1 + nameWords(bytes)) throw new RangeError('a text is cut off');
  const text = new Uint8Array(words.slice(1).buffer, 0, bytes);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
}

/** Why a peer's request to the registry must not be taken, or null: see request-form.ts. */
export function registryRequestProblem({ kind, body }: RequestMessage): string | null {
  switch (kind) {
    case RequestKind.listLedgers:
      return body.byteLength === 0 ? null : 'a list of ledgers is asked for with nothing';
    case RequestKind.createLedger:
      return createProblem(body);
    case RequestKind.changeCluster:
      return changeBodyProblem(body);
    default:
      return 'its kind is unknown';
  }
}

function createProblem(body: Uint8Array): string | null {
  let ledgers: LedgerDefinition[];
  try {
    ledgers = decodeLedgers(asWords(body));
  } catch (error) {
    return (error as Error).message;
  }
  const [ledger] = ledgers;
  if (ledger === undefined || ledgers.length > 1) return 'not one ledger';
  return ledgerProblem(ledger);
}

function changeBodyProblem(body: Uint8Array): string | null {
  try {
    const change = decodeJson(asWords(body));
    return change === null ? 'no change' : changeProblem(change as ClusterChange);
  } catch (error) {
    return (error as Error).message;
  }
}

function nameWords(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES);
}
