import { TransferFlag } from '../client/index.ts';
import { MisuseError } from './exit.ts';
import { parseId, parseTimestamp, parseWhole } from './parse.ts';

const U32_MAX = 0xffff_ffff;

/** The options of `transfer` that say what kind it is. */
export interface KindFlags {
  readonly pending?: true;
  readonly timeout?: string;
  readonly post?: string;
  readonly void?: string;
  readonly balancingDebit?: true;
  readonly balancingCredit?: true;
  readonly closingDebit?: true;
  readonly closingCredit?: true;
  readonly importedAt?: string;
  readonly ledger?: string;
  readonly code?: string;
}

/** A new transfer, or what resolves a pending one. */
export type TransferKind =
  | {
      readonly kind: 'new';
      readonly flags: number;
      readonly timeout: number;
      readonly timestamp: bigint;
    }
  | { readonly kind: 'resolution'; readonly flags: number; readonly pendingId: bigint };

/** Throws MisuseError for options that exclude each other. */
export function kindOf(options: KindFlags): TransferKind {
  if (options.post !== undefined || options.void !== undefined) return resolutionOf(options);
  const { pending, timeout, closingDebit, closingCredit, importedAt } = options;
  if (timeout !== undefined && !pending) throw new MisuseError('--timeout needs --pending');
  if (closingDebit && !pending) throw new MisuseError('--closing-debit needs --pending');
  if (closingCredit && !pending) throw new MisuseError('--closing-credit needs --pending');
  if (timeout !== undefined && importedAt !== undefined) {
    throw new MisuseError('--timeout and --imported-at exclude each other');
  }
  return {
    kind: 'new',
    flags:
      bit(pending, TransferFlag.pending) |
      bit(options.balancingDebit, TransferFlag.balancingDebit) |
      bit(options.balancingCredit, TransferFlag.balancingCredit) |
      bit(closingDebit, TransferFlag.closingDebit) |
      bit(closingCredit, TransferFlag.closingCredit) |
      bit(importedAt !== undefined, TransferFlag.imported),
    timeout: timeout === undefined ? 0 : parseWhole('--timeout', timeout, U32_MAX, 1),
    timestamp: importedAt === undefined ? 0n : parseTimestamp('--imported-at', importedAt),
  };
}

function resolutionOf(options: KindFlags): TransferKind {
  const { post, void: voided, ...others } = options;
  const name = post === undefined ? '--void' : '--post';
  if (post !== undefined && voided !== undefined) {
    throw new MisuseError('--post and --void exclude each other');
  }
  const excluded = OTHERS.find(([option]) => others[option] !== undefined);
  if (excluded !== undefined)
    throw new MisuseError(`${name} and ${excluded[1]} exclude each other`);
  return {
    kind: 'resolution',
    flags: post === undefined ? TransferFlag.voidPendingTransfer : TransferFlag.postPendingTransfer,
    pendingId: parseId(name, post ?? voided ?? ''),
  };
}

const OTHERS = [
  ['pending', '--pending'],
  ['timeout', '--timeout'],
  ['balancingDebit', '--balancing-debit'],
  ['balancingCredit', '--balancing-credit'],
  ['closingDebit', '--closing-debit'],
  ['closingCredit', '--closing-credit'],
  ['importedAt', '--imported-at'],
  // They are those of the pending transfer.
  ['ledger', '--ledger'],
  ['code', '--code'],
] as const;

function bit(set: boolean | undefined, flag: number): number {
  return set ? flag : 0;
}
