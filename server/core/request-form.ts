import { subBatchProblem } from '../../ledger/entry.ts';
import { SubBatchKind, SubBatchWord, WORD_BYTES } from '../../ledger/layout.ts';
import { READ_ROWS_MAX } from './limits.ts';
import { RequestKind, type RequestMessage } from './messages.ts';
import { splitSubBatches } from './proposals.ts';
import { BALANCE_QUERY_WORDS } from './reads/account-balance.ts';
import { filterProblem } from './reads/filter.ts';
import { asWords } from './router.ts';

const ID_BYTES = 16;

/**
 * Why a peer's request must not be taken, or null. A peer may be of another release, or broken: what
 * it asks must not end this process, and nothing of it may get into the log that apply can't read.
 */
export function requestProblem(unit: number, { kind, body }: RequestMessage): string | null {
  const bytes = body.byteLength;
  switch (kind) {
    case RequestKind.propose:
      return bytes % WORD_BYTES === 0 ? proposalProblem(unit, asWords(body)) : 'no whole words';
    case RequestKind.lookupAccounts:
    case RequestKind.lookupTransfers:
      return bytes % ID_BYTES === 0 && bytes <= READ_ROWS_MAX * ID_BYTES ? null : 'no list of ids';
    case RequestKind.accountTransfers:
    case RequestKind.queryTransfers:
    case RequestKind.queryAccounts:
      return bytes % WORD_BYTES === 0 ? filterProblem(asWords(body)) : 'no whole words';
    case RequestKind.accountBalance:
      return bytes === BALANCE_QUERY_WORDS * WORD_BYTES ? null : 'no balance query';
    default:
      return 'its kind is unknown';
  }
}

function proposalProblem(unit: number, words: Uint32Array): string | null {
  let subBatches: Uint32Array[];
  try {
    subBatches = splitSubBatches(words);
  } catch (error) {
    return (error as RangeError).message;
  }
  for (const subBatch of subBatches) {
    const problem = subBatchProblem(subBatch);
    if (problem !== null) return problem;
    const kind = subBatch[SubBatchWord.kindAndFlags]! & 0xffff;
    // The other kinds are a leader's own.
    const isAsked =
      kind === SubBatchKind.createAccounts ||
      kind === SubBatchKind.createTransfers ||
      (kind === SubBatchKind.decide && subBatch[SubBatchWord.unit] !== unit);
    if (!isAsked) return `a sub-batch of kind ${kind} is not a peer's to propose`;
  }
  return null;
}
