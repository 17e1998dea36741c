import { describe, expect, it } from 'vitest';
import { accountStatus, transferStatus } from './status.ts';
import { schema } from './testing/schema.ts';

describe('every status of the .proto file has its name', () => {
  it.each([
    ['AccountStatus', 'ACCOUNT_STATUS_', accountStatus],
    ['TransferStatus', 'TRANSFER_STATUS_', transferStatus],
  ] as const)('%s', (name, prefix, nameOf) => {
    const { values } = schema.lookupEnum(`evenkeel.v1.${name}`);
    for (const [key, value] of Object.entries(values)) {
      if (value === 0) continue;
      expect(nameOf(value >>> 0)).toBe(key.slice(prefix.length).toLowerCase());
    }
    expect(nameOf(999)).toBe('status_999');
  });
});
