import {
  BALANCES_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
} from '../layout.ts';
import type { Results } from '../results.ts';
import type { Balances, OracleResult } from './oracle-types.ts';
import { getWords } from './records.ts';

/** Results of one sub-batch in the oracle's form. */
export function unpackResults({ words, subBatches }: Results, subBatch: number): OracleResult[] {
  const { offset, count, stride } = subBatches[subBatch]!;
  return Array.from({ length: count }, (_, i) => {
    const at = offset + i * stride;
    const flags = words[at + ResultWord.flags]!;
    const wide = stride === RESULT_WITH_BALANCES_WORDS;
    const debitAt = at + RESULT_WORDS;
    return {
      status: words[at + ResultWord.status]!,
      timestamp: getWords(words, at + ResultWord.timestamp, 2),
      unit: words[at + ResultWord.unit]!,
      sequence: getWords(words, at + ResultWord.sequence, 2),
      debit: wide && flags & ResultFlag.debitBalances ? balancesAt(words, debitAt) : null,
      credit:
        wide && flags & ResultFlag.creditBalances
          ? balancesAt(words, debitAt + BALANCES_WORDS)
          : null,
    };
  });
}

function balancesAt(words: Uint32Array, at: number): Balances {
  const column = (n: number) => getWords(words, at + n * 4, 4);
  return [column(0), column(1), column(2), column(3)];
}
