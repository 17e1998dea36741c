import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breaches, checkoutFiles, leaks, MAY_IMPORT, partOf, readSources } from './house.ts';

const ROOT = dirname(import.meta.dirname);

describe('the checkout', () => {
  it('keeps the rules of the house', () => {
    const paths = checkoutFiles(ROOT, 'all').filter((path) => path.endsWith('.ts'));
    expect(paths).toContain('test/house.test.ts');
    expect(breaches(readSources(ROOT, paths))).toEqual([]);
  });

  it('does not tell where it was written', () => {
    const paths = checkoutFiles(ROOT, 'tracked');
    expect(paths).toContain('package-lock.json');
    expect(leaks(readSources(ROOT, paths))).toEqual([]);
  });

  it('has a table without circles', () => {
    const reach = (part: string, seen: readonly string[]): void => {
      expect(seen).not.toContain(part);
      for (const next of MAY_IMPORT[part] ?? []) reach(next, [...seen, part]);
    };
    for (const part of Object.keys(MAY_IMPORT)) reach(part, []);
  });
});

// Each sample breaks one rule; beside it, what the checker must say.
describe('imports that break the rule', () => {
  it.each([
    [
      'consensus/a.ts',
      "import { x } from '../ledger/x.ts';",
      'consensus/a.ts:1: imports ledger/x.ts',
    ],
    [
      'consensus/a.ts',
      "\nexport * from '../ledger/x.ts';",
      'consensus/a.ts:2: imports ledger/x.ts',
    ],
    ['ledger/a.ts', "import type { X } from '../consensus/x.ts';", 'nothing else of ours'],
    [
      'ledger/audit/a.ts',
      "type X = import('../../server/core/x.ts').X;",
      'imports server/core/x.ts',
    ],
    ['ledger/a.test.ts', "import { x } from '../sim/x.ts';", 'imports sim/x.ts'],
    ['server/core/a.ts', "import { x } from '../node/x.ts';", 'imports server/node/x.ts'],
    ['server/node/a.ts', "import { x } from '../../client/x.ts';", 'imports client/x.ts'],
    ['client/a.ts', "import { x } from '../server/core/x.ts';", 'may import only proto'],
    ['sim/a.ts', "import { x } from '../server/node/x.ts';", 'imports server/node/x.ts'],
    ['sim/a.ts', "import { x } from '../proto/x.ts';", 'imports proto/x.ts'],
    ['cmd/a.ts', "const x = await import('../proto/x.ts');", 'imports proto/x.ts'],
    ['bench/a.ts', "import { x } from '../server/node/disk.ts';", 'imports server/node/disk.ts'],
    ['bench/a.ts', "import { x } from '../cmd/x.ts';", 'imports cmd/x.ts'],
    ['cmd/a.ts', "new URL('../proto/x.ts', import.meta.url);", 'imports proto/x.ts'],
    ['cmd/a.ts', 'const x = await import(name);', 'computed import'],
    ['cmd/a.ts', "import { x } from './x';", 'write the ending'],
    ['cmd/a.ts', "import { x } from '/srv/x.ts';", 'by relative path'],
    ['cmd/a.ts', "import { x } from '../vitest.config.ts';", 'imports vitest.config.ts'],
    ['ledger/a.ts', "import { any } from './testing/any.ts';", 'for tests only'],
    ['ledger/a.ts', "import { suite } from './a.conformance.ts';", 'for tests only'],
    ['lib/a.ts', '', 'lies in no part'],
    ['server/a.ts', '', 'lies in no part'],
  ])('%s: %s', (path, text, message) => {
    expect(breaches({ [path]: text })).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [
      'consensus/a.ts',
      "import { x } from './x.ts'; import vectors from './vectors.json' with { type: 'json' };",
    ],
    ['ledger/audit/a.ts', "import { x } from '../x.ts'; import { createHash } from 'node:crypto';"],
    [
      'server/core/a.ts',
      "import { x } from '../../ledger/x.ts'; import { y } from '../../proto/y.ts';",
    ],
    [
      'sim/a.ts',
      "import { x } from '../server/core/server.ts'; import { readFileSync } from 'node:fs';",
    ],
    [
      'bench/a.ts',
      "import { x } from '../server/node/index.ts'; import { y } from '../client/y.ts';",
    ],
    ['cmd/a.ts', "import { x } from '../ledger/audit/x.ts'; import { y } from '../bench/y.ts';"],
    ['ledger/testing/any.ts', "import fc from 'fast-check'; const at = Date.now();"],
    ['ledger/a.test.ts', "import { any } from './testing/any.ts';"],
    ['ledger/a.conformance.ts', "import { it } from 'vitest'; it('waits', async () => {});"],
    [
      'test/live/a.ts',
      "import { x } from '../../server/node/disk.ts'; const y = await import(name);",
    ],
    ['ledger/a.ts', "// import { x } from '../sim/x.ts';\nconst text = \"import '../sim/x.ts'\";"],
  ])('but not %s: %s', (path, text) => {
    expect(breaches({ [path]: text })).toEqual([]);
  });
});

describe('use that makes a pure part impure', () => {
  it.each([
    ['const t = Date.now();', 'Date'],
    ['const t = new Date();', 'Date'],
    ['function f(at: Date) {}', 'Date'],
    ['const t = `${Date.now()}`;', 'Date'],
    ['const t = globalThis.Date;', 'globalThis'],
    ['const x = Math.random();', 'Math.random'],
    ["const x = Math['random']();", 'Math.random'],
    ['const { random } = Math;', 'Math.random'],
    ['const { random: r } = Math;', 'Math.random'],
    ['const roll = Math.random;', 'Math.random'],
    ['setTimeout(f, 1);', 'setTimeout'],
    ['const later = { setInterval };', 'setInterval'],
    ['setImmediate(f);', 'setImmediate'],
    ['queueMicrotask(f);', 'queueMicrotask'],
    ['const f = (): Promise<void> => x;', 'Promise'],
    ['async function f() {}', 'async'],
    ['const f = async () => 1;', 'async'],
    ['class A { async f() {} }', 'async'],
    ['const x = await y;', 'await'],
    ['for await (const x of y) {}', 'await'],
    ['process.exit(1);', 'process'],
    ['const t = performance.now();', 'performance'],
    ['console.log(1);', 'console'],
    ["import { randomBytes } from 'node:crypto';", 'randomBytes'],
    ["import { randomInt as hash } from 'node:crypto';", 'randomInt'],
    ["import * as c from 'node:crypto'; const x = c.randomUUID();", 'randomUUID'],
    ['const x = a.localeCompare(b);', 'localeCompare'],
    ["import fs from 'node:fs';", 'node:fs'],
    ["import { readFile } from 'node:fs/promises';", 'node:fs/promises'],
    ["import fs from 'fs';", 'fs'],
    ["import net from 'node:net';", 'node:net'],
    ["import http from 'node:http';", 'node:http'],
    ["import { setTimeout as wait } from 'node:timers';", 'node:timers'],
    ["import { spawn } from 'node:child_process';", 'node:child_process'],
    ["import { Worker } from 'node:worker_threads';", 'node:worker_threads'],
    ["import Database from 'better-sqlite3';", 'better-sqlite3'],
    ['let count = 0;', 'a top-level let'],
    ['export let count: number;', 'a top-level let'],
    ['var count = 0;', 'a top-level var'],
    ['const seen = new Map<string, number>();', 'a top-level collection'],
    ['class A { static count = 0; }', 'a static field'],
  ])('%s', (text, what) => {
    for (const part of ['consensus', 'ledger', 'ledger/audit', 'server/core']) {
      const found = breaches({ [`${part}/a.ts`]: text });
      expect(found.length).toBeGreaterThan(0);
      expect(found.join('\n')).toContain(what);
    }
    expect(
      breaches({ 'server/node/a.ts': text, 'cmd/a.ts': text, 'ledger/a.test.ts': text }),
    ).toEqual([]);
  });

  it.each([
    '// Date.now() and Math.random(), async\n/* setTimeout */',
    "const text = 'Date.now()'; const other = `process ${1} Promise`; const re = /await Date/;",
    'const x = clock.Date; const y = entry.process; const z = { Date: 1, process: 2 };',
    'interface Clock { performance(): number; process: string }',
    'class A { process() {} static readonly limit = 3; #timers = 0; }',
    'function apply(process: number) { return process + 1; }',
    'const x = Math.imul(3, 5) >>> 0; let_: for (;;) break let_;',
    'function f() { let i = 0; const m = new Map(); return [i, m]; }',
    "const CODES = new Map([[1, 'ok']]); const NAMES = new Set(['a']);",
    'declare let given: number;',
  ])('but not: %s', (text) => {
    expect(
      breaches({ 'consensus/a.ts': text, 'ledger/a.ts': text, 'server/core/a.ts': text }),
    ).toEqual([]);
  });

  it('keeps the packages of each part apart', () => {
    const text = "import protobuf from 'protobufjs';";
    expect(breaches({ 'server/core/a.ts': text })).toEqual([]);
    expect(breaches({ 'consensus/a.ts': text })).toEqual([
      'consensus/a.ts:1: consensus may not import protobufjs',
    ]);
  });

  it.each([
    'Date.now();',
    'Math.random();',
    'setTimeout(f, 1);',
    'performance.now();',
    'process.hrtime();',
  ])('holds for the simulator too: %s', (text) => {
    expect(breaches({ 'sim/a.ts': text })).toHaveLength(1);
    expect(breaches({ 'sim/a.ts': 'let x = 1; async function f() { await x; }' })).toEqual([]);
  });
});

describe('syntax that Node cannot run', () => {
  it.each([
    'enum E { A }',
    'const enum E { A }',
    'namespace N { export const x = 1; }',
    'class A { constructor(readonly x: number) {} }',
    "import fs = require('node:fs');",
    'export = 1;',
    'const = 1;',
  ])('%s', (text) => {
    expect(breaches({ 'cmd/a.ts': text })).toEqual([
      expect.stringContaining('cmd/a.ts: Node cannot run it as it is'),
    ]);
  });

  it('but not types', () => {
    const text =
      'declare enum E { A }\nconst x = y satisfies Z as W;\nabstract class A<T> { declare z: T; private x!: T }';
    expect(breaches({ 'cmd/a.ts': text })).toEqual([]);
  });
});

describe('the simulator', () => {
  it.each(['raft', 'state-machine', 'Replica', 'ledger-model'])('has no %s of its own', (name) => {
    expect(breaches({ [`sim/${name}.ts`]: '' })).toHaveLength(1);
    expect(breaches({ [`sim/drills/${name}.json`]: '{}' })).toEqual([]);
  });

  it('runs the real server once there is one', () => {
    const server = { 'server/core/server.ts': 'export const server = 1;' };
    const world = { 'sim/world.ts': "import { disk } from '../server/core/disk.ts';" };
    const other = { 'sim/process.ts': "import { server } from '../server/core/server.ts';" };
    expect(breaches(world)).toEqual([]);
    expect(breaches(server)).toEqual([]);
    expect(breaches({ ...server, ...world })).toEqual([
      expect.stringContaining('does not run the real server'),
    ]);
    expect(breaches({ ...server, ...world, ...other })).toEqual([]);
  });
});

describe('leaks', () => {
  // Put together here, so that this file does not hold them itself.
  const host = ['registry', 'npmjs', 'org'].join('.');
  const folder = ['', 'home', 'somebody', 'evenkeel'].join('/');

  it.each([
    [
      'package-lock.json',
      `{\n${JSON.stringify({ resolved: `https://${host}/x.tgz` })} }`,
      'package-lock.json:2: holds a registry host',
    ],
    ['.npmrc', ['npm', 'artifactory', 'example', 'com'].join('.'), 'a registry host'],
    ['docs/a.md', `run it in ${folder}`, "docs/a.md:1: holds a path of somebody's machine"],
  ])('%s', (path, text, message) => {
    expect(leaks({ [path]: text })).toEqual([expect.stringContaining(message)]);
  });

  it('but not ordinary paths', () => {
    const text = `https://example.org${folder} ./home/x docs/work/plan.md /var/lib/evenkeel /tmp/x`;
    expect(leaks({ 'docs/a.md': text })).toEqual([]);
  });
});

describe('parts', () => {
  it.each([
    ['vitest.config.ts', ''],
    ['ledger/audit/seal.ts', 'ledger'],
    ['server/core/unit.ts', 'server/core'],
    ['server/index.ts', null],
    ['elsewhere/a.ts', null],
  ])('%s lies in %s', (path, part) => {
    expect(partOf(path)).toBe(part);
  });
});
