/** What may be used of this folder by those who measure or rehearse real servers. */
export { isMemoryFileSystem } from './data-folder.ts';
export { LocalCluster, type LocalServer } from './local-cluster.ts';
