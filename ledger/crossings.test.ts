import { describe, expect, it } from 'vitest';
import { InvariantError } from './invariant.ts';
import { AccountFlag } from './layout.ts';
import { AccountStatus, InternalStatus, TransferStatus } from './status.ts';
import type { Command } from './testing/oracle.ts';
import {
  accountOf,
  idWords,
  type TransferFields,
  transferOf,
  unpackTransfer,
} from './testing/records.ts';
import { accountIn } from './testing/slots.ts';
import { UnitUnderTest } from './testing/unit-under-test.ts';

const debit = accountIn(1, 0);
const credit = accountIn(2, 0);
const limited = accountIn(2, 1);
const missing = accountIn(2, 2);
const VALID = transferOf({ id: 50n, debit, credit, amount: 10n });

function pair(residentMax = 0): { home: UnitUnderTest; far: UnitUnderTest } {
  const home = new UnitUnderTest(1, residentMax);
  const far = new UnitUnderTest(2, residentMax);
  home.initialise();
  far.initialise();
  const accounts = (events: ReturnType<typeof accountOf>[]): Command => {
    return { kind: 'accounts', events, balances: false };
  };
  home.apply(accounts([accountOf({ id: debit }), accountOf({ id: accountIn(1, 1) })]));
  const flags = AccountFlag.creditsMustNotExceedDebits;
  far.apply(accounts([accountOf({ id: credit }), accountOf({ id: limited, flags })]));
  return { home, far };
}

function transfers(...events: TransferFields[]): Command {
  return { kind: 'transfers', events, balances: true };
}

/** All open crossings, or those of some sequences, as the home unit's leader would send them. */
function decides(home: UnitUnderTest, sequences?: readonly bigint[]): Command {
  const items = home
    .openCrossings()
    .filter(({ sequence }) => sequences?.includes(sequence) ?? true)
    .map(({ sequence, record }) => ({ sequence, record }));
  return { kind: 'decide', homeUnit: 1, finished: home.finishedThrough(2), items, balances: true };
}

function completes(sequence: bigint, status: number): Command {
  return { kind: 'complete', farUnit: 2, items: [{ sequence, status }], balances: true };
}

describe('a crossing', () => {
  it("holds, credits, posts: the transfer has its Reserve's timestamp", () => {
    const { home, far } = pair();
    const [opened] = home.apply(transfers(VALID));
    expect(opened).toMatchObject({ status: InternalStatus.crossing_opened, unit: 2, sequence: 1n });
    expect(opened!.debit).toEqual([10n, 0n, 0n, 0n]);
    const [decided] = far.apply(decides(home));
    expect(decided).toMatchObject({ status: TransferStatus.created, unit: 1, sequence: 1n });
    expect(decided!.credit).toEqual([0n, 0n, 0n, 10n]);
    const [posted] = home.apply(completes(1n, decided!.status));
    expect(posted).toMatchObject({ status: TransferStatus.created, unit: 2, sequence: 1n });
    expect(posted!.timestamp).toBe(opened!.timestamp);
    expect(posted!.debit).toEqual([0n, 10n, 0n, 0n]);
    const [again] = home.apply(transfers(VALID));
    expect(again).toMatchObject({ status: TransferStatus.exists, timestamp: opened!.timestamp });
  });

  it('repeated: the far unit gives the same answer and moves no money twice', () => {
    const { home, far } = pair();
    home.apply(transfers(VALID));
    const decide = decides(home);
    const [first] = far.apply(decide);
    const [second] = far.apply(decide);
    expect(second).toEqual(first);
    expect(far.account(credit)!.creditsPosted).toBe(10n);
    home.apply(completes(1n, first!.status));
    const [late] = home.apply(completes(1n, first!.status));
    expect(late!.status).toBe(InternalStatus.already_complete);
    expect(home.account(debit)!.debitsPosted).toBe(10n);
  });

  it('prepared late: a decide that arrives after its crossing is finished does nothing', () => {
    const { home, far } = pair();
    home.apply(transfers(VALID));
    const late = decides(home);
    far.apply(late);
    home.apply(completes(1n, TransferStatus.created));
    home.apply(transfers({ ...VALID, id: 51n }));
    far.apply(decides(home));
    far.fold('once');
    far.restart();
    const [answer] = far.apply(late);
    expect(answer!.status).toBe(InternalStatus.decision_forgotten);
    expect(far.account(credit)!.creditsPosted).toBe(20n);
  });

  it('cancelled before it was prepared: only a decision releases, so a refusal is final', () => {
    const { home, far } = pair();
    home.apply(transfers({ ...VALID, credit: limited }));
    const decide = decides(home);
    const [refused] = far.apply(decide);
    expect(refused!.status).toBe(TransferStatus.exceeds_debits);
    // Room appears, but the attempt has its answer, and its id is burnt in both units.
    far.apply(transfers(transferOf({ id: 60n, debit: limited, credit, amount: 100n })));
    const [again] = far.apply(decide);
    expect(again!.status).toBe(TransferStatus.exceeds_debits);
    const [released] = home.apply(completes(1n, refused!.status));
    expect(released!.status).toBe(TransferStatus.exceeds_debits);
    expect(home.account(debit)!.debitsPending).toBe(0n);
    const [retry] = home.apply(transfers({ ...VALID, credit: limited }));
    expect(retry!.status).toBe(TransferStatus.id_already_failed);
    const [elsewhere] = far.apply(
      transfers(transferOf({ ...VALID, debit: credit, credit: limited })),
    );
    expect(elsewhere!.status).toBe(TransferStatus.id_already_failed);
  });

  it('refused for good reason but not for ever: its id may be used again, in the same entry too', () => {
    const { home, far } = pair(0);
    // A greater id leaves memory first, so that only a look-up can tell that 50 is new.
    home.apply(transfers(transferOf({ id: 999n, debit, credit: accountIn(1, 1) })));
    home.fold('once');
    home.apply(transfers(VALID));
    far.apply(transfers(transferOf({ id: 50n, debit: limited, credit })));
    const [refused] = far.apply(decides(home));
    expect(refused!.status).toBe(TransferStatus.exists_with_different_debit_account_id);
    const local = transferOf({ id: 50n, debit, credit: accountIn(1, 1) });
    const results = home.apply(transfers(local), completes(1n, refused!.status), transfers(local));
    expect(results.map(({ status }) => status)).toEqual([
      InternalStatus.in_flight,
      TransferStatus.exists_with_different_debit_account_id,
      TransferStatus.created,
    ]);
  });

  it('of one id from two units at once: both are refused, and neither waits for the other', () => {
    const { home, far } = pair();
    home.apply(transfers(VALID));
    far.apply(transfers({ ...VALID, debit: credit, credit: debit }));
    const [refused] = far.apply(decides(home));
    expect(refused!.status).toBe(TransferStatus.exists_with_different_debit_account_id);
    const items = far.openCrossings().map(({ sequence, record }) => ({ sequence, record }));
    const back: Command = { kind: 'decide', homeUnit: 2, finished: 0n, items, balances: false };
    expect(home.apply(back)[0]!.status).toBe(refused!.status);
    home.apply(completes(1n, refused!.status));
    expect(home.apply(transfers(VALID))[0]!.status).toBe(InternalStatus.crossing_opened);
  });

  it('to an account that is not there burns the id in both units', () => {
    const { home, far } = pair();
    home.apply(transfers({ ...VALID, credit: missing }));
    const [refused] = far.apply(decides(home));
    expect(refused!.status).toBe(TransferStatus.credit_account_not_found);
    home.apply(completes(1n, refused!.status));
    const both = [
      home.apply(transfers(VALID)),
      far.apply(transfers({ ...VALID, debit: credit, credit: limited })),
    ];
    expect(both.map(([result]) => result!.status)).toEqual(
      Array(2).fill(TransferStatus.id_already_failed),
    );
  });

  it('to an account of another ledger is refused by the far unit', () => {
    const { home, far } = pair();
    const other = accountIn(2, 3);
    far.apply({ kind: 'accounts', events: [accountOf({ id: other, ledger: 2 })], balances: false });
    home.apply(transfers({ ...VALID, credit: other }));
    const [refused] = far.apply(decides(home));
    expect(refused!.status).toBe(TransferStatus.accounts_must_have_the_same_ledger);
  });

  it('is finished only when all before it on its channel are', () => {
    const { home, far } = pair();
    home.apply(transfers(...[1n, 2n, 3n].map((id) => ({ ...VALID, id }))));
    expect(home.finishedThrough(2)).toBe(0n);
    far.apply(decides(home));
    home.apply(completes(2n, TransferStatus.created));
    home.apply(completes(3n, TransferStatus.created));
    expect(home.finishedThrough(2)).toBe(0n);
    home.apply(completes(1n, TransferStatus.created));
    expect(home.finishedThrough(2)).toBe(3n);
    home.fold('once');
    home.restart();
    expect(home.finishedThrough(2)).toBe(3n);
  });

  it('that comes and goes between two folds never reaches the books, nor does its decision', () => {
    const { home, far } = pair();
    home.fold('once');
    far.fold('once');
    home.apply(transfers(VALID));
    far.apply(decides(home));
    home.apply(completes(1n, TransferStatus.created));
    far.apply({ kind: 'decide', homeUnit: 1, finished: 1n, items: [], balances: false });
    const none = new Uint32Array(0);
    expect(home.forgetful.takeFold()).toMatchObject({ opened: none, closed: none });
    expect(far.forgetful.takeFold()).toMatchObject({ decisions: none });
  });

  it('shows in both clearing accounts', () => {
    const { home, far } = pair();
    const other = accountIn(2, 3);
    far.apply({ kind: 'accounts', events: [accountOf({ id: other })], balances: false });
    for (const id of [1n, 2n]) {
      home.apply(transfers({ ...VALID, id, credit: id === 1n ? credit : other }));
      far.apply(decides(home));
      home.apply(completes(id, TransferStatus.created));
    }
    const [here, there] = [[home, 2] as const, [far, 1] as const].map(([unit, other]) => {
      const clearing = idWords(unit.oracle.clearingId(1, other));
      return unit.plain.unfoldedAccountTransfers(clearing).map((row) => unpackTransfer(row, 0).id);
    });
    // Home, and the hold before it.
    expect(here).toEqual([2n, 2n, 1n, 1n]);
    expect(there).toEqual([2n, 1n]);
  });

  it('takes the time of its hold, also where no row has an id and memory has forgotten it', () => {
    const taken = AccountStatus.imported_event_timestamp_must_not_regress;
    for (const restarts of [false, true]) {
      const { home } = pair();
      // With the first comes the clearing account, whose time no account may have anyway.
      home.apply(transfers(VALID, { ...VALID, id: 51n }));
      const { timestamp } = home.openCrossings()[1]!.record;
      home.fold('once');
      if (restarts) home.restart();
      home.advanceTo(home.now + 100n);
      const events = [timestamp, timestamp + 1n].map((time, i) =>
        accountOf({ id: accountIn(1, 2 + i), flags: AccountFlag.imported, timestamp: time }),
      );
      const results = home.apply({ kind: 'accounts', events, balances: false });
      expect(results.map(({ status }) => status)).toEqual([taken, AccountStatus.created]);
    }
  });

  it('is waited for by a post of its id; nothing is burnt meanwhile', () => {
    const { home } = pair();
    home.apply(transfers(VALID));
    const post = transferOf({ id: 60n, debit, credit: 0n, pendingId: VALID.id, flags: 1 << 2 });
    const status = () => home.apply(transfers(post))[0]!.status;
    expect(status()).toBe(InternalStatus.in_flight);
    home.fold('once');
    home.restart();
    expect(status()).toBe(InternalStatus.in_flight);
    home.apply(completes(1n, TransferStatus.created));
    expect(status()).toBe(TransferStatus.pending_transfer_not_pending);
    const refused = { ...VALID, id: 51n };
    home.apply(transfers(refused));
    home.apply(completes(2n, TransferStatus.credit_account_not_found));
    const another = { ...post, pendingId: refused.id };
    const [result] = home.apply(transfers(another));
    expect(result!.status).toBe(TransferStatus.pending_transfer_not_found);
  });

  it('of a closed account is refused by the side that has it', () => {
    const { home, far } = pair();
    const closedDebit = accountIn(1, 5);
    const closedCredit = accountIn(2, 5);
    const flags = AccountFlag.closed;
    const accounts = (id: bigint): Command => {
      return { kind: 'accounts', events: [accountOf({ id, flags })], balances: false };
    };
    home.apply(accounts(closedDebit));
    far.apply(accounts(closedCredit));
    const [refused] = home.apply(transfers({ ...VALID, debit: closedDebit }));
    expect(refused!.status).toBe(TransferStatus.debit_account_already_closed);
    home.apply(transfers({ ...VALID, id: 51n, credit: closedCredit }));
    const [decided] = far.apply(decides(home));
    expect(decided!.status).toBe(TransferStatus.credit_account_already_closed);
    home.apply(completes(1n, decided!.status));
    const again = home.apply(transfers(VALID, { ...VALID, id: 51n }));
    const burnt = TransferStatus.id_already_failed;
    expect(again.map(({ status }) => status)).toEqual([burnt, burnt]);
  });

  it('is found by channel and sequence while it is open', () => {
    const { home } = pair();
    home.apply(transfers(VALID));
    expect(home.plain.openCrossing(2, 1, 0)).toEqual(home.plain.openCrossings());
    expect(home.plain.openCrossing(2, 2, 0)).toBeNull();
    expect(home.plain.openCrossing(3, 1, 0)).toBeNull();
  });

  it('is never completed with an answer that decides nothing', () => {
    for (const status of [InternalStatus.in_flight, InternalStatus.decision_forgotten]) {
      const { home } = pair();
      home.apply(transfers(VALID));
      expect(() => home.apply(completes(1n, status))).toThrow(InvariantError);
    }
  });

  it('into a slot that the far unit does not own is released, to be asked again', () => {
    const { home, far } = pair();
    home.apply(transfers(VALID));
    const record = { ...home.openCrossings()[0]!.record, credit: accountIn(3, 0) };
    const decide: Command = {
      kind: 'decide',
      homeUnit: 1,
      finished: 0n,
      items: [{ sequence: 1n, record }],
      balances: false,
    };
    expect(far.bare(decide)).toEqual([InternalStatus.wrong_unit]);
    expect(far.bare(decide)).toEqual([InternalStatus.wrong_unit]);
    const [released] = home.apply(completes(1n, InternalStatus.wrong_unit));
    expect(released!.status).toBe(InternalStatus.wrong_unit);
    expect(home.account(debit)!.debitsPending).toBe(0n);
    const [again] = home.apply(transfers(VALID));
    expect(again!.status).toBe(InternalStatus.crossing_opened);
  });
});
