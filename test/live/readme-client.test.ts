import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startCluster } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';

const BUDGET_MS = 60_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMPORT = "from './client/index.ts'";
const ADDRESSES = "['127.0.0.1:7401', '127.0.0.1:7402', '127.0.0.1:7403']";

/** The README's only block of TypeScript, and what it says that it prints. */
function example(): { source: string; printed: string } {
  const blocks = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)];
  expect(blocks).toHaveLength(1);
  const source = blocks[0]![1]!;
  const comments = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)];
  expect(comments).toHaveLength(1);
  return { source, printed: comments[0]![1]! };
}

test(
  "the README's client compiles, runs, and prints what the README says",
  async () => {
    const { source, printed } = example();
    const folder = tempFolder(onTestFinished);
    // Only what depends on the place is rewritten: where the client is, and where the servers are.
    expect(source).toContain(IMPORT);
    expect(source).toContain(ADDRESSES);
    const here = source.replace(IMPORT, `from '${join(ROOT, 'client/index.ts')}'`);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'example.ts'), here);
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
      include: ['example.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder];
    const types = spawnSync(process.execPath, tsc, { encoding: 'utf8' });
    expect(types.stdout + types.stderr).toBe('');
    expect(types.status).toBe(0);

    const cluster = await startCluster(onTestFinished, join(folder, 'data'));
    const addresses = JSON.stringify(cluster.servers.map(({ address }) => address));
    writeFileSync(join(folder, 'example.ts'), here.replace(ADDRESSES, addresses));
    const ran = spawnSync(process.execPath, [join(folder, 'example.ts')], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toBe(`${printed}\n`);
    expect(ran.status).toBe(0);
  },
  BUDGET_MS,
);
