import type { BooksChunk, BooksState } from '../../core/books-copy.ts';

/** What a thread that copies books is started for; its one file is `file`. */
export type CopyTask =
  | { readonly kind: 'read'; readonly file: string; readonly have: BooksState | null }
  | {
      readonly kind: 'build';
      /** The generation to be made. */
      readonly file: string;
      readonly unit: number;
      readonly clusterId: string;
      /** The books whose rows it starts from; null: from nothing. */
      readonly own: string | null;
    };

/** Each is answered once, in order. */
export type ToCopy =
  | { readonly kind: 'open' }
  | { readonly kind: 'next' }
  | { readonly kind: 'add'; readonly chunk: BooksChunk }
  | { readonly kind: 'finish'; readonly state: BooksState };

export type FromCopy =
  | {
      readonly error: null;
      readonly state?: BooksState | null;
      readonly chunk?: BooksChunk | null;
    }
  | { readonly error: { readonly code: string; readonly message: string } };
