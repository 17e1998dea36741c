import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestKind, type RequestMessage } from './messages.ts';
import { decodeLedgers, encodeLedgers, registryRequestProblem } from './registry-request.ts';
import { joinWords } from './router.ts';

const EUR = { ledger: 978, currency: 'EUR', scale: 2 };
const POINTS = { ledger: 0xffff_ffff, currency: '积分', scale: 18 };

function problem(kind: number, body: Uint8Array): string | null {
  const request: RequestMessage = { type: 'request', unit: 0, kind, epoch: 1, ref: 1, body };
  return registryRequestProblem(request);
}

const created = (...ledgers: (typeof EUR)[]) =>
  problem(RequestKind.createLedger, joinWords([encodeLedgers(ledgers)]));

describe('ledgers as words', () => {
  it('come back as they were', () => {
    for (const ledgers of [[], [EUR], [POINTS, EUR]]) {
      expect(decodeLedgers(encodeLedgers(ledgers))).toEqual(ledgers);
    }
  });

  it('are decoded or refused, whatever the words', () => {
    const word = fc.oneof(fc.nat(9), fc.integer({ min: 0, max: 0xffff_ffff }));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          decodeLedgers(Uint32Array.from(words));
        } catch (error) {
          expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
        }
      }),
    );
  });
});

describe('what a server asks of the registry', () => {
  it('is taken if it is one well-defined ledger, or a list with nothing else', () => {
    expect([created(EUR), created(POINTS)]).toEqual([null, null]);
    expect(problem(RequestKind.listLedgers, new Uint8Array(0))).toBeNull();
  });

  it('is refused otherwise, so that nothing of it gets into the log', () => {
    expect(created()).toBe('not one ledger');
    expect(created(EUR, POINTS)).toBe('not one ledger');
    expect(created({ ...EUR, scale: 3 })).toContain('ISO 4217');
    expect(problem(RequestKind.createLedger, new Uint8Array(7))).toContain('words');
    expect(problem(RequestKind.createLedger, new Uint8Array(8))).toContain('cut off');
    expect(problem(RequestKind.listLedgers, new Uint8Array(4))).toContain('with nothing');
    expect(problem(RequestKind.propose, new Uint8Array(0))).toContain('unknown');
  });
});
