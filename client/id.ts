import { randomBytes, randomFillSync } from 'node:crypto';
import { ClientError } from './error.ts';

const RANDOM_BITS = 80n;
const RANDOM_MAX = (1n << RANDOM_BITS) - 1n;
/** Random bytes are drawn for this many ids at a time. */
const POOL_IDS = 512;
const RANDOM_BYTES = 10;

/**
 * Makes ids that ascend within a process and, to a millisecond, among processes: 48 bits of milliseconds, then 80
 * random bits. The ledger finds duplicates of such ids fastest. Within one millisecond, or while the
 * clock stands behind, the last id is counted up, so that none is given twice.
 */
export class IdSource {
  readonly #nowMs: () => number;
  readonly #pool = Buffer.alloc(POOL_IDS * RANDOM_BYTES);
  #poolAt = this.#pool.length;
  #lastMs = 0;
  #last = 0n;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  next(): bigint {
    const nowMs = this.#nowMs();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#last = (BigInt(nowMs) << RANDOM_BITS) | this.#random();
    } else {
      // A carry out of the random bits goes into the milliseconds: still ascending.
      this.#last += 1n;
      if ((this.#last & RANDOM_MAX) === 0n) this.#lastMs += 1;
    }
    return this.#last;
  }

  #random(): bigint {
    if (this.#poolAt === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#poolAt = 0;
    }
    const high = BigInt(this.#pool.readUInt16BE(this.#poolAt));
    const low = this.#pool.readBigUInt64BE(this.#poolAt + 2);
    this.#poolAt += RANDOM_BYTES;
    return (high << 64n) | low;
  }
}

const source = new IdSource();

/** A new id for a transfer. */
export function id(): bigint {
  return source.next();
}

/** The highest is the ledger's own. */
const PARTY_MAX = 2n ** 64n - 2n;

/**
 * A new id for an account. Accounts of one party (a customer: 1 .. 2^64-2, the high half of their ids) live in one
 * unit, where transfers among them are cheapest. Without a party the account is spread at random; time-ordered ids
 * would crowd all accounts of a moment into one unit.
 */
export function accountId(party: bigint = newParty()): bigint {
  if (party < 1n || party > PARTY_MAX) {
    throw new ClientError('invalid_argument', `party: ${party}, must be 1 .. 2^64-2`);
  }
  return (party << 64n) | randomBytes(8).readBigUInt64BE();
}

function newParty(): bigint {
  return (randomBytes(8).readBigUInt64BE() % PARTY_MAX) + 1n;
}
