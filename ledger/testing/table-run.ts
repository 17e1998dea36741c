import { expect } from 'vitest';
import { AccountStatus, InternalStatus, TransferStatus } from '../status.ts';
import { type Command, Oracle, type OracleResult } from './oracle.ts';
import { waiting } from './oracle-expiry.ts';
import type { TransferFields } from './records.ts';
import type { TableCase, TableLine } from './table.ts';
import { accountEvent, amountOf, type Names, transferEvent } from './table-events.ts';
import { probesOf } from './table-ladder.ts';

/** What a case is run against. */
export interface Subject {
  readonly oracle: Oracle;
  /** Of the next entry. */
  readonly now: bigint;
  advanceTo(time: bigint): void;
  apply(...commands: Command[]): OracleResult[];
  fold(): void;
  restart(): void;
}

/** The oracle alone. */
export class OracleSubject implements Subject {
  readonly oracle = new Oracle(1, () => 1);
  now = 1_700_000_000_000_000_000n;

  advanceTo(time: bigint): void {
    this.now = time;
  }

  apply(...commands: Command[]): OracleResult[] {
    return commands.flatMap((command) => {
      const results = this.oracle.apply(command, this.now);
      this.now += BigInt(results.length);
      return results;
    });
  }

  fold(): void {}
  restart(): void {}
}

const STATUS_NAMES = {
  accounts: namesOf({ ...AccountStatus, ...InternalStatus }),
  transfers: namesOf({ ...TransferStatus, ...InternalStatus }),
};

function namesOf(statuses: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(statuses).map(([name, number]) => [number, name]));
}

export function statusName(kind: 'accounts' | 'transfers', status: number): string {
  return STATUS_NAMES[kind].get(status) ?? `status ${status}`;
}

/** Runs a case; throws at the first line that does not hold. */
export function runCase({ lines }: TableCase, subject: Subject): void {
  new CaseRun(subject).run(lines);
}

type Kind = 'accounts' | 'transfers' | 'expire';

class CaseRun {
  readonly #subject: Subject;
  readonly #accounts = new Map<string, bigint>();
  readonly #names: Names;
  #lastId = 1_000_000n;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#names = {
      account: (name) => this.#account(name),
      time: (expression) => this.#time(expression),
      newId: () => {
        this.#lastId += 1n;
        return this.#lastId;
      },
    };
  }

  run(lines: readonly TableLine[]): void {
    for (let i = 0; i < lines.length; ) {
      const from = i;
      const kind = kindOf(lines[i]!);
      if (kind !== null) {
        while (i < lines.length && kindOf(lines[i]!) === kind) i += 1;
        this.#request(kind, lines.slice(from, i));
      } else if (lines[i]!.words[0] === 'ladder') {
        i += 1;
        while (i < lines.length && lines[i]!.isIndented) i += 1;
        this.#ladder(lines[from]!, lines.slice(from + 1, i));
      } else {
        this.#directive(lines[i]!);
        i += 1;
      }
    }
  }

  #request(kind: Kind, lines: readonly TableLine[]): void {
    const expected = lines.flatMap((line) => Array(countOf(line)).fill(line.expected));
    const [command, count] = this.#command(kind, lines);
    const statuses = this.#statuses(kind, this.#subject.apply(command));
    expect(count).toBe(expected.length);
    const at = lines.map(({ number }) => number);
    expect(statuses, `lines ${at[0]} to ${at.at(-1)}`).toEqual(expected);
  }

  #command(kind: Kind, lines: readonly TableLine[]): [Command, number] {
    if (kind === 'expire') {
      const timestamps = lines.map(({ words }) => this.#transfer(amountOf(words[1]!)).timestamp);
      return [{ kind, timestamps }, lines.length];
    }
    if (kind === 'accounts') {
      const events = lines.map((line) => accountEvent(line, this.#names));
      return [{ kind, events, balances: true }, events.length];
    }
    const events = lines.flatMap((line) => {
      if (line.words[0] !== 'many') return [transferEvent(line, this.#names)];
      const first = transferEvent({ ...line, words: line.words.slice(2) }, this.#names);
      return Array.from({ length: countOf(line) }, (_, i) => ({
        ...first,
        id: first.id + BigInt(i),
      }));
    });
    return [{ kind, events, balances: true }, events.length];
  }

  #statuses(kind: Kind, results: readonly OracleResult[]): string[] {
    const of = kind === 'accounts' ? 'accounts' : 'transfers';
    return results.map(({ status }) => statusName(of, status));
  }

  /** Every probe is a request of its own. */
  #ladder(head: TableLine, rungs: readonly TableLine[]): void {
    for (const probe of probesOf(head, rungs, this.#names)) {
      const [status] = this.#statuses(probe.command.kind, this.#subject.apply(probe.command));
      expect(status, `line ${probe.line}, ${probe.what}`).toBe(probe.expected);
    }
  }

  #directive({ words, number }: TableLine): void {
    const [verb, ...rest] = words;
    const line = `line ${number}`;
    const { ledger } = this.#subject.oracle;
    switch (verb) {
      case undefined:
        return;
      case 'at':
        this.#subject.advanceTo(this.#time(rest[0]!));
        return;
      case 'fold':
        this.#subject.fold();
        return;
      case 'restart':
        this.#subject.restart();
        return;
      case 'balances': {
        const account = ledger.accounts.get(this.#account(rest[0]!))!;
        const { debitsPending, debitsPosted, creditsPending, creditsPosted } = account;
        const columns = [debitsPending, debitsPosted, creditsPending, creditsPosted];
        expect(columns, line).toEqual(rest.slice(1).map(amountOf));
        return;
      }
      case 'state':
        expect(ledger.pendings.get(amountOf(rest[0]!))?.state, line).toBe(rest[1]);
        return;
      case 'next': {
        const [first] = waiting(ledger);
        const next = rest[0] === 'none' ? undefined : this.#transfer(amountOf(rest[0]!)).timestamp;
        expect(first?.timestamp, line).toBe(next);
        return;
      }
      case 'feed': {
        const feed = ledger.events.map(({ kind, record }) =>
          kind === 'transfer' ? `${record.id}` : `${kind}:${record.id}`,
        );
        expect(feed, line).toEqual(rest);
        return;
      }
      default:
        throw new Error(`${line}: what is '${verb}'?`);
    }
  }

  #account(name: string): bigint {
    if (!/^[A-Z]/.test(name)) return amountOf(name);
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const id = BigInt(this.#accounts.size + 1);
    this.#accounts.set(name, id);
    return id;
  }

  #time(expression: string): bigint {
    const [, base = '', sign = '+', by = '0'] =
      /^(now|[A-Z]\w*|#\d+|deadline\(\d+\)|2\^63|\d+)(?:([+-])(\d+))?$/.exec(expression) ?? [];
    if (base === '') throw new Error(`'${expression}' is no time`);
    return sign === '-' ? this.#moment(base) - BigInt(by) : this.#moment(base) + BigInt(by);
  }

  #moment(base: string): bigint {
    const { oracle, now } = this.#subject;
    if (base === 'now') return now;
    if (base.startsWith('#')) return this.#transfer(BigInt(base.slice(1))).timestamp;
    if (base.startsWith('deadline')) {
      const deadline = oracle.ledger.pendings.get(
        BigInt(base.slice('deadline('.length, -1)),
      )?.deadline;
      if (deadline == null) throw new Error(`${base}: there is none`);
      return deadline;
    }
    if (!/^[A-Z]/.test(base)) return amountOf(base);
    return oracle.ledger.accounts.get(this.#account(base))!.timestamp;
  }

  #transfer(id: bigint): TransferFields {
    const transfer = this.#subject.oracle.ledger.transfers.get(id);
    if (transfer === undefined) throw new Error(`there is no transfer ${id}`);
    return transfer;
  }
}

function kindOf({ words, isIndented }: TableLine): Kind | null {
  if (isIndented) return null;
  switch (words[0]) {
    case 'account':
      return 'accounts';
    case 'transfer':
    case 'post':
    case 'void':
    case 'many':
      return 'transfers';
    case 'expire':
      return 'expire';
    default:
      return null;
  }
}

function countOf({ words }: TableLine): number {
  return words[0] === 'many' ? Number(words[1]) : 1;
}
