import {
  completeSubBatch,
  createAccountsSubBatch,
  createTransfersSubBatch,
  decideSubBatch,
} from '../entry.ts';
import { expireSubBatch } from '../entry-builder.ts';
import { EXPIRE_ITEM_WORDS, SubBatchFlag } from '../layout.ts';
import { importedOf } from './oracle.ts';
import type { Command } from './oracle-types.ts';
import { packAccounts, packTransfers, putWords } from './records.ts';

/** The command as a log entry's sub-batch. */
export function packCommand(command: Command): Uint32Array {
  if (command.kind === 'expire') {
    const items = new Uint32Array(command.timestamps.length * EXPIRE_ITEM_WORDS);
    command.timestamps.forEach((timestamp, i) => {
      putWords(items, i * EXPIRE_ITEM_WORDS, 2, timestamp);
    });
    return expireSubBatch(items);
  }
  const balances = command.balances ? SubBatchFlag.balances : 0;
  switch (command.kind) {
    case 'accounts': {
      const flags = balances | (importedOf(command) ? SubBatchFlag.imported : 0);
      return createAccountsSubBatch(packAccounts(command.events), command.events.length, flags);
    }
    case 'transfers': {
      const flags = balances | (importedOf(command) ? SubBatchFlag.imported : 0);
      return createTransfersSubBatch(packTransfers(command.events), command.events.length, flags);
    }
    case 'decide': {
      const items = command.items.map(({ sequence, record }) => ({
        ...sequenceWords(sequence),
        record: packTransfers([record]),
      }));
      const { sequenceLo, sequenceHi } = sequenceWords(command.finished);
      return decideSubBatch(command.homeUnit, sequenceLo, sequenceHi, items, balances);
    }
    case 'complete': {
      const items = command.items.map(({ sequence, status }) => ({
        ...sequenceWords(sequence),
        status,
      }));
      return completeSubBatch(command.farUnit, items, balances);
    }
  }
}

function sequenceWords(sequence: bigint): { sequenceLo: number; sequenceHi: number } {
  return { sequenceLo: Number(sequence & 0xffff_ffffn), sequenceHi: Number(sequence >> 32n) };
}
