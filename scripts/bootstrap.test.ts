import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// A project of two files and an `npm` that only pretends, so that each case takes a moment only.
const LOCK_FILE = {
  packages: {
    '': { name: 'sample' },
    'node_modules/node': { version: '99.1.0', integrity: 'sha512-node' },
    'node_modules/some-build': { version: '1.0.0', optional: true, os: ['none'], cpu: ['none'] },
  },
};

// Written in sh: the bootstrap must find the tool on PATH, whatever runs the tests.
const FAKE_NPM = `#!/bin/sh
echo "$1" >>npm-calls
echo "npm talks on stdout"
echo "npm talks on stderr" >&2
if [ -f npm-fails ]; then echo "E418 the teapot is empty" >&2; exit 3; fi
case "$1" in
ci)
  rm -rf node_modules
  sleep "$(cat npm-sleeps 2>/dev/null || echo 0)"
  mkdir -p node_modules/.bin node_modules/node
  cp package-lock.json node_modules/.package-lock.json ;;
rebuild)
  printf '#!/bin/sh\\nif [ "$1" = --version ]; then echo v99.1.0; else echo "pinned $*"; fi\\n' >node_modules/.bin/node
  chmod +x node_modules/.bin/node ;;
esac
`;

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evenkeel-bootstrap-'));
  mkdirSync(join(root, 'scripts'));
  mkdirSync(join(root, 'tools'));
  copyFileSync(join(import.meta.dirname, 'bootstrap.mjs'), join(root, 'scripts', 'bootstrap.mjs'));
  const installed = { ...LOCK_FILE.packages, 'node_modules/some-build': undefined };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: installed }));
  writeFileSync(join(root, 'tools', 'npm'), FAKE_NPM);
  chmodSync(join(root, 'tools', 'npm'), 0o755);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function start(...command: string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs'), ...command], {
    cwd: root,
    env: { ...process.env, PATH: `${join(root, 'tools')}${delimiter}${process.env.PATH}` },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function finish(child: ChildProcess, input = '') {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin?.end(input);
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr };
}

const bootstrap = (...command: string[]) => finish(start(...command));
const npmCalls = () => readFileSync(join(root, 'npm-calls'), 'utf8').split('\n').filter(Boolean);
const lockLeftovers = () => readdirSync(root).filter((name) => name.startsWith('.evenkeel'));

describe('installing', () => {
  it('installs once, then leaves the tree alone', async () => {
    const first = await bootstrap('node', 'main.ts', '--json', 'two words');
    expect(first).toMatchObject({ code: 0, stdout: 'pinned main.ts --json two words\n' });
    expect(first.stderr).toContain('installing dependencies');
    const second = await bootstrap('node', 'main.ts');
    expect(second).toMatchObject({ code: 0, stderr: '', stdout: 'pinned main.ts\n' });
    expect(npmCalls()).toEqual(['ci', 'rebuild']);
    expect(lockLeftovers()).toEqual([]);
  });

  it('installs again after the lock file has changed', async () => {
    await bootstrap();
    const changed = structuredClone(LOCK_FILE);
    changed.packages['node_modules/node'].integrity = 'sha512-other';
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(changed));
    await bootstrap();
    expect(npmCalls()).toEqual(['ci', 'rebuild', 'ci', 'rebuild']);
  });

  it('accepts a tree that npm itself brought to the new lock file', async () => {
    await bootstrap();
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK_FILE));
    const { code, stdout } = await bootstrap('node', 'main.ts');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pinned main.ts\n' });
    expect(npmCalls()).toEqual(['ci', 'rebuild']);
  });

  it('only fetches Node when nothing else is missing', async () => {
    await bootstrap();
    rmSync(join(root, 'node_modules', '.bin', 'node'));
    await bootstrap();
    expect(npmCalls()).toEqual(['ci', 'rebuild', 'rebuild']);
  });

  it('shows what npm said when it fails, and leaves no lock', async () => {
    writeFileSync(join(root, 'npm-fails'), '');
    const { code, stdout, stderr } = await bootstrap('node', 'main.ts');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('npm ci --ignore-scripts failed (3)');
    expect(stderr).toContain('E418 the teapot is empty');
    expect(existsSync(join(root, '.evenkeel-bootstrap.lock'))).toBe(false);
    rmSync(join(root, 'npm-fails'));
    expect((await bootstrap('node', 'main.ts')).code).toBe(0);
  });
});

describe('the lock', () => {
  const lock = () => join(root, '.evenkeel-bootstrap.lock');

  function leaveLock(owner: string, ageSeconds: number) {
    mkdirSync(lock());
    writeFileSync(join(lock(), 'owner'), owner);
    const then = Date.now() / 1000 - ageSeconds;
    utimesSync(join(lock(), 'owner'), then, then);
  }

  it('lets one of many install while the others wait', async () => {
    writeFileSync(join(root, 'npm-sleeps'), '1');
    const ends = await Promise.all(
      Array.from({ length: 4 }, (_, i) => bootstrap('node', `${i}.ts`)),
    );
    expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual(
      ends.map((_, i) => [0, `pinned ${i}.ts\n`]),
    );
    expect(npmCalls()).toEqual(['ci', 'rebuild']);
    expect(lockLeftovers()).toEqual([]);
  });

  it.each([
    ['of a process that is gone', () => leaveLock(`${hostname()}-4194305-x`, 0)],
    ['of another machine, long untouched', () => leaveLock('elsewhere-1-x', 300)],
  ])('is taken over: %s', async (_, leave) => {
    leave();
    const ends = await Promise.all([bootstrap('node', 'a.ts'), bootstrap('node', 'b.ts')]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(npmCalls()).toEqual(['ci', 'rebuild']);
    expect(lockLeftovers()).toEqual([]);
  });

  it('of a living process is respected', async () => {
    leaveLock(`${hostname()}-${process.pid}-x`, 0);
    const waiting = start('node', 'main.ts');
    const end = finish(waiting);
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(existsSync(join(root, 'npm-calls'))).toBe(false);
    rmSync(lock(), { recursive: true });
    expect((await end).code).toBe(0);
  });

  it('is given back when an install is interrupted', async () => {
    writeFileSync(join(root, 'npm-sleeps'), '5');
    const child = start('node', 'main.ts');
    const end = finish(child);
    await until(() => existsSync(join(root, 'npm-calls')));
    child.kill('SIGTERM');
    expect((await end).code).toBe(143);
    expect(lockLeftovers()).toEqual([]);
  });
});

describe('running', () => {
  beforeEach(async () => {
    await bootstrap();
  });

  it('returns the exit code of the command', async () => {
    expect((await bootstrap('sh', '-c', 'exit 7')).code).toBe(7);
  });

  it('hands standard input over', async () => {
    const { stdout } = await finish(start('cat'), 'from the caller');
    expect(stdout).toBe('from the caller');
  });

  it('hands signals on and waits for the command to end', async () => {
    const child = start(
      'sh',
      '-c',
      'trap "sleep 0.2; echo bye; exit 5" INT; echo up; while :; do sleep 0.05; done',
    );
    const end = finish(child);
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: 5, stdout: 'up\nbye\n' });
  });

  it('dies of the signal that the command died of', async () => {
    expect((await bootstrap('sh', '-c', 'kill -KILL $$')).signal).toBe('SIGKILL');
  });

  it('says so when there is no such command', async () => {
    const { code, stderr } = await bootstrap('no-such-command');
    expect(code).toBe(127);
    expect(stderr).toContain('cannot run no-such-command');
  });
});

async function until(isTrue: () => boolean) {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
