/** What may be used of this folder by those who measure or rehearse real servers. */
export { type BooksCheck, checkBooks } from './books/check.ts';
export { type Difference, verifyBooks } from './books/verify.ts';
export { isMemoryFileSystem } from './data-folder.ts';
export { LocalCluster, type LocalServer } from './local-cluster.ts';
export type { LinkRule } from './peers/emulation.ts';
