import { describe, expect, it } from 'vitest';
import {
  completeSubBatch,
  createTransfersSubBatch,
  decideSubBatch,
  unitInitSubBatch,
} from '../../ledger/entry.ts';
import { RECORD_WORDS, SLOT_COUNT, SubBatchWord } from '../../ledger/layout.ts';
import { READ_ROWS_MAX } from './limits.ts';
import { RequestKind, type RequestMessage } from './messages.ts';
import { packAccountQuery } from './reads/filter.ts';
import { ALL } from './reads/testing/query.ts';
import { requestProblem } from './request-form.ts';
import { joinWords } from './router.ts';

const UNIT = 2;
const item = { sequenceLo: 1, sequenceHi: 0, record: new Uint32Array(RECORD_WORDS) };

function problem(kind: number, body: Uint8Array): string | null {
  const request: RequestMessage = { type: 'request', unit: UNIT, kind, epoch: 1, ref: 1, body };
  return requestProblem(UNIT, request);
}

function proposed(...subBatches: Uint32Array[]): string | null {
  return problem(RequestKind.propose, joinWords(subBatches));
}

describe('requestProblem', () => {
  it("takes what gateways and other units' leaders propose", () => {
    const transfers = createTransfersSubBatch(new Uint32Array(2 * RECORD_WORDS), 2);
    expect(proposed(transfers, decideSubBatch(1, 0, 0, [item]))).toBeNull();
  });

  it('takes no sub-batch that apply could not read', () => {
    const transfers = createTransfersSubBatch(new Uint32Array(2 * RECORD_WORDS), 2);
    const short = transfers.slice();
    short[SubBatchWord.count] = 3;
    const unknown = transfers.slice();
    unknown[SubBatchWord.kindAndFlags] = 9;
    expect(proposed(transfers, short)).toContain('malformed');
    expect(proposed(unknown)).toContain('malformed');
    expect(proposed(transfers.subarray(0, 10))).toContain('past the end');
    expect(problem(RequestKind.propose, new Uint8Array(7))).toContain('no whole words');
  });

  it("takes none that only the unit's own leader may propose", () => {
    expect(proposed(unitInitSubBatch(UNIT, new Uint16Array(SLOT_COUNT).fill(1)))).not.toBeNull();
    expect(proposed(completeSubBatch(1, [{ sequenceLo: 1, sequenceHi: 0, status: 1 }]))).toContain(
      'not a peer',
    );
    expect(proposed(decideSubBatch(UNIT, 0, 0, [item]))).toContain('not a peer');
  });

  it('takes no read that it could not answer', () => {
    expect(problem(RequestKind.lookupAccounts, new Uint8Array(32))).toBeNull();
    expect(problem(RequestKind.lookupTransfers, new Uint8Array(15))).not.toBeNull();
    expect(
      problem(RequestKind.lookupAccounts, new Uint8Array(16 * READ_ROWS_MAX + 16)),
    ).not.toBeNull();
    const filter = packAccountQuery({ ...ALL });
    for (const kind of [16, 17, RequestKind.accountTransfers]) {
      expect(problem(kind, new Uint8Array(filter.buffer))).toBeNull();
      expect(problem(kind, new Uint8Array(filter.buffer, 0, filter.byteLength - 4))).toContain(
        'no filter',
      );
      expect(problem(kind, new Uint8Array(filter.byteLength))).toContain('limit is 0');
      expect(problem(kind, new Uint8Array(filter.byteLength).fill(255))).toContain('out of bounds');
      expect(problem(kind, new Uint8Array(7))).toContain('no whole words');
    }
    expect(problem(RequestKind.accountBalance, new Uint8Array(32))).toBeNull();
    expect(problem(RequestKind.accountBalance, new Uint8Array(28))).not.toBeNull();
    expect(problem(99, new Uint8Array(0))).not.toBeNull();
  });
});
