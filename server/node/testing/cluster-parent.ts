// A program that runs a cluster of fake servers until it is killed. Prints the servers' pids.
import { fileURLToPath } from 'node:url';
import { LocalCluster } from '../local-cluster.ts';

const cluster = await LocalCluster.create({
  dataDir: process.argv[2]!,
  units: 1,
  zones: 3,
  ports: 'free',
  drill: false,
  log: () => {},
  command: [process.execPath, fileURLToPath(new URL('./fake-server.ts', import.meta.url))],
});
await cluster.start();
for (const id of process.argv.slice(3)) cluster.kill(Number(id), 'SIGSTOP');
console.log(JSON.stringify(cluster.servers.map(({ pid }) => pid)));
