import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startCluster } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';

const BUDGET_MS = 90_000;

/** A Python that has gRPC and its compiler: Debian's, or the one on the PATH. */
function findPython(): string {
  const candidates = [process.env.PYTHON, '/usr/bin/python3', 'python3'];
  const found = candidates.find(
    (python) =>
      python !== undefined && spawnSync(python, ['-c', 'import grpc, grpc_tools']).status === 0,
  );
  if (found === undefined) {
    throw new Error('no Python with gRPC: install python3-grpcio and python3-grpc-tools');
  }
  return found;
}

test(
  'a Python client made from the .proto files is served by every zone',
  async () => {
    const python = findPython();
    const cluster = await startCluster(onTestFinished, tempFolder(onTestFinished));
    for (const { address } of cluster.servers) {
      const script = join(import.meta.dirname, 'python-client.sh');
      const { status, stdout, stderr } = spawnSync('sh', [script, address], {
        encoding: 'utf8',
        env: { ...process.env, PYTHON: python },
        timeout: 30_000,
      });
      expect(`${stdout}${stderr}`).toContain('the reason:');
      expect(status).toBe(0);
    }
  },
  BUDGET_MS,
);
