import type { Fold } from '../../../ledger/fold.ts';

/** From the main thread to the storage thread, in order. */
export type ToStorage =
  | { readonly kind: 'open'; readonly unit: number; readonly file: string }
  | { readonly kind: 'commit'; readonly id: number; readonly unit: number; readonly fold: Fold }
  | { readonly kind: 'sync'; readonly id: number; readonly unit: number; readonly file: string }
  | {
      readonly kind: 'install';
      readonly id: number;
      readonly unit: number;
      readonly file: string;
      readonly generation: string;
    }
  | { readonly kind: 'close'; readonly unit: number };

/** Back. `failed`: the unit's file can't be opened, written or synced; its commits fail from now on. */
export type FromStorage =
  | { readonly kind: 'done'; readonly id: number; readonly error: string | null }
  | { readonly kind: 'failed'; readonly unit: number; readonly error: string }
  | { readonly kind: 'closed'; readonly unit: number };
