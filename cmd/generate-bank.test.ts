import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBook } from './bank/csv.ts';
import { generateBook } from './bank/generate.ts';

const moduleHere = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

/** The command's frame with this one subcommand in it. */
const PROGRAM = `
  import { Command } from 'commander';
  import { exitWith } from ${moduleHere('exit.ts')};
  import { register } from ${moduleHere('generate-bank.ts')};
  const program = new Command().exitOverride();
  register(program);
  const args = ['generate-bank', ...process.argv.slice(1)];
  await program.parseAsync(args, { from: 'user' }).catch(exitWith);
`;

const ROOT = new URL('..', import.meta.url);
const nodeArguments = (args: string[]) => ['--input-type=module', '-e', PROGRAM, '--', ...args];

function run(...args: string[]) {
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  return spawnSync(process.execPath, nodeArguments(args), options);
}

describe('generate-bank', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-generate-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('writes the book to stdout, and nothing else', () => {
    const { status, stdout, stderr } = run('--seed', '7', '--rows', '5000', '--accounts', '30');
    expect(stdout).toBe([...generateBook({ seed: 7, rows: 5_000, accounts: 30 })].join(''));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('ends well when its reader has seen enough', async () => {
    const args = nodeArguments(['--seed', '7', '--rows', '50000']);
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = await once(child, 'close');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('writes it to a file, gzipped by its name, the same bytes each time', () => {
    const [plain, zipped, again] = ['a.csv', 'a.csv.gz', 'b.csv.gz'].map((name) => {
      const path = join(folder, name);
      const { status, stdout } = run('--seed', '7', '--rows', '3000', '--output', path);
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
      return path;
    });
    expect(readBook(plain!).rows).toHaveLength(3_000);
    expect(readBook(zipped!).rows).toEqual(readBook(plain!).rows);
    expect(readFileSync(zipped!).subarray(0, 2)).toEqual(Buffer.of(0x1f, 0x8b));
    expect(readFileSync(again!)).toEqual(readFileSync(zipped!));
  });

  test.each([
    [[], "required option '--seed <n>' not specified"],
    [['--seed', 'x'], "--seed takes a whole number from 0 to 2^53 - 1, got 'x'"],
    [['--seed', '-1'], "--seed takes a whole number from 0 to 2^53 - 1, got '-1'"],
    [['--seed', '9007199254740993'], '--seed takes a whole number'],
    [['--seed', '1', '--rows', '1e3'], "--rows takes a whole number from 0 to 2^53 - 1, got '1e3'"],
    [['--seed', '1', '--rows', '0'], 'rows are a whole number from 1'],
    [['--seed', '1', '--rows', '5', '--accounts', '6'], 'from 1 to the rows, 5, got 6'],
    [['--seed', '1', '--sed', '2'], "unknown option '--sed'"],
    [['--seed', '1', 'extra'], 'too many arguments'],
  ])('%j is misuse: exit code 2, a reason, and nothing on stdout', (args, reason) => {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toContain('    at ');
    expect(stderr).toContain(reason);
  });

  test('a file that cannot be written is a failure, not misuse', () => {
    const { status, stderr } = run('--seed', '1', '--output', join(folder, 'none', 'a.csv'));
    expect(status).toBe(1);
    expect(stderr).toContain('ENOENT');
  });
});
