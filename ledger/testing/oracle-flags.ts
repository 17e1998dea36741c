/** Transfer flags by bit, as the document numbers them. */
export const Flag = {
  pending: 1 << 1,
  post: 1 << 2,
  void: 1 << 3,
  balancingDebit: 1 << 4,
  balancingCredit: 1 << 5,
  closingDebit: 1 << 6,
  closingCredit: 1 << 7,
  imported: 1 << 8,
} as const;
export const TRANSFER_FLAGS = (1 << 9) - 1;

export const AccountBit = {
  debitsLimited: 1 << 1,
  creditsLimited: 1 << 2,
  imported: 1 << 4,
  closed: 1 << 5,
} as const;
/** linked to closed; spread, bit 6, is not served yet. */
export const ACCOUNT_FLAGS = (1 << 6) - 1;

/** Any of them. */
export function has({ flags }: { readonly flags: number }, any: number): boolean {
  return (flags & any) !== 0;
}

export const TIMESTAMP_MAX = 2n ** 63n - 1n;
export const U128_MAX = 2n ** 128n - 1n;
