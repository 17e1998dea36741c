// Stands for `evenkeel server` in local-cluster.test.ts. What it does wrong is written in the file `misbehave` beside
// its configuration.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ConfigInput } from '../config-schema.ts';

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    supervised: { type: 'boolean' },
    drill: { type: 'boolean' },
  },
});
const file = values.config!;
const config = JSON.parse(readFileSync(file, 'utf8')) as ConfigInput;
const fault = join(dirname(file), 'misbehave');
const misbehaves = existsSync(fault) ? readFileSync(fault, 'utf8') : '';

console.error(`server ${config.server} says hello, drill ${values.drill === true}`);
console.log('a line on stdout');
if (misbehaves === 'dies') {
  console.error('the disk is on fire');
  process.exit(3);
}
process.on('SIGINT', () => {});
if (misbehaves === 'ignores SIGTERM') process.on('SIGTERM', () => {});
if (values.supervised === true && misbehaves !== 'ignores its stdin') {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}
const leaked = Object.keys(process.env).filter((name) => name.startsWith('EVENKEEL_'));
if (leaked.length > 0) console.error(`leaked ${leaked.join()}`);
const row = config.servers.find(({ id }) => id === config.server)!;
createServer().listen(Number(row.address.split(':')[1]), '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: true, address: row.address }));
});
