import { expect, it } from 'vitest';
import {
  AccountWord,
  RECORD_WORDS,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferWord,
} from '../ledger/layout.ts';
import { TransferStatus } from '../ledger/status.ts';
import type { Gateway } from '../server/core/gateway/api.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const seed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;
const SECOND_US = 1_000_000;
const LEDGER = 978;
const ACCOUNTS = 6;
const STEPS = 60;
/** A server dies, and the one that died before comes back, once in so many steps. */
const KILL_EVERY = 6;
const ALL = { fromTimestamp: 0n, toTimestamp: 2n ** 63n - 1n, reversed: true, limit: 8_190 };

type Send = (gateway: Gateway, done: (error: Error | null, words: Uint32Array) => void) => unknown;

/** Through each of these servers at once; comes back with all answers. */
function ask(world: World, servers: readonly number[], send: Send): Uint32Array[] {
  const answers: (Uint32Array | undefined)[] = servers.map(() => undefined);
  servers.forEach((server, i) => {
    send(world.host(server).server!.gateway, (error, words) => {
      if (error !== null) throw error;
      answers[i] = words;
    });
  });
  const { scheduler } = world;
  scheduler.run(scheduler.nowUs + 30 * SECOND_US, () => answers.every(Boolean));
  return answers.map((words, i) => {
    if (words === undefined) throw new Error(`no answer from server ${servers[i]} within 30 s`);
    return words;
  });
}

function accountRecords(): Uint32Array {
  const records = new Uint32Array(ACCOUNTS * RECORD_WORDS);
  for (let i = 0; i < ACCOUNTS; i += 1) {
    records[i * RECORD_WORDS + AccountWord.id] = i + 1;
    records[i * RECORD_WORDS + AccountWord.ledger] = LEDGER;
    records[i * RECORD_WORDS + AccountWord.codeAndFlags] = 1;
  }
  return records;
}

function transferRecord(id: number, debit: number, credit: number): Uint32Array {
  const record = new Uint32Array(RECORD_WORDS);
  record[TransferWord.id] = id;
  record[TransferWord.debitAccountId] = debit;
  record[TransferWord.creditAccountId] = credit;
  record[TransferWord.amount] = id;
  record[TransferWord.userData64] = id;
  record[TransferWord.ledger] = LEDGER;
  record[TransferWord.codeAndFlags] = 1;
  return record;
}

const idOf = (account: number) => Uint32Array.of(account, 0, 0, 0);

it('a transfer shows in every kind of read through every server, right after it and right after a kill', () => {
  const world = new World({ seed, units: 3 });
  const random = new Random(seed, 'read your writes');
  world.start();
  ask(world, [1], (gateway, done) => gateway.createAccounts(accountRecords(), ACCOUNTS, done));
  const debits = new Array<number>(ACCOUNTS + 1).fill(0);
  const counts = new Array<number>(ACCOUNTS + 1).fill(0);
  let up = [1, 2, 3];

  for (let id = 1; id <= STEPS; id += 1) {
    const debit = 1 + random.below(ACCOUNTS);
    const credit = 1 + ((debit + random.below(ACCOUNTS - 1)) % ACCOUNTS);
    const record = transferRecord(id, debit, credit);
    const writer = up[random.below(up.length)]!;
    const [result] = ask(world, [writer], (gateway, done) =>
      gateway.createTransfers(record, 1, false, done),
    );
    expect(result![ResultWord.status]).toBe(TransferStatus.created);
    debits[debit]! += id;
    counts[debit]! += 1;
    counts[credit]! += 1;
    if (id % KILL_EVERY === 0) {
      const back = [1, 2, 3].find((server) => !up.includes(server));
      if (back !== undefined) world.restart(back);
      const dying = up[random.below(up.length)]!;
      world.kill(dying, random.chance(0.5) ? 'kept' : 'lost');
      up = [1, 2, 3].filter((server) => server !== dying);
    }

    const read = (send: Send) => ask(world, up, send);
    const accountId = idOf(debit);
    const total = [debits[debit]];
    for (const words of read((gateway, done) => gateway.lookupAccounts(accountId, 1, done))) {
      expect([words[AccountWord.debitsPosted]]).toEqual(total);
    }
    for (const words of read((gateway, done) => gateway.lookupTransfers(idOf(id), 1, done))) {
      expect(words[TransferWord.id]).toBe(id);
    }
    const statement = { ...ALL, accountId, balances: true };
    for (const words of read((gateway, done) => gateway.accountTransfers(statement, done))) {
      const stride = TRANSFER_ROW_WORDS + 16;
      expect(words).toHaveLength(RECORD_WORDS + counts[debit]! * stride);
      expect(words[RECORD_WORDS]).toBe(id);
      expect([words[RECORD_WORDS + TRANSFER_ROW_WORDS + 4]]).toEqual(total);
    }
    const late = 2n ** 62n;
    for (const at of [0n, late]) {
      for (const words of read((gateway, done) => gateway.accountBalance(accountId, at, done))) {
        expect([words[4]]).toEqual(total);
      }
    }
    const query = { ...ALL, userData64: BigInt(id) };
    for (const words of read((gateway, done) => gateway.queryTransfers(query, done))) {
      expect(words).toHaveLength(TRANSFER_ROW_WORDS);
      expect(words[TransferWord.id]).toBe(id);
    }
    for (const words of read((gateway, done) => gateway.queryTransfers(ALL, done))) {
      expect(words).toHaveLength(id * TRANSFER_ROW_WORDS);
    }
    for (const words of read((gateway, done) => gateway.queryAccounts(ALL, done))) {
      const found = Array.from({ length: ACCOUNTS }, (_, i) => {
        const at = i * RECORD_WORDS;
        return [words[at], words[at + AccountWord.debitsPosted]] as const;
      });
      expect(found.find(([account]) => account === debit)![1]).toBe(debits[debit]);
    }
  }
});
