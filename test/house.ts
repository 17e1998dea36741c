// The rules of the house (see "The house" in the design): which folder may import which, what the
// pure folders may not touch, and what no file may hold. `house.test.ts` applies them to the
// checkout, and to small bad samples so that it is known that each rule can fail.
//
// Source is read through TypeScript's own parser: comments and strings never trip a rule.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, posix } from 'node:path';
import {
  type Node,
  type NoSubstitutionTemplateLiteral,
  type SourceFile,
  type StringLiteral,
  SyntaxKind,
} from 'typescript/unstable/ast';
import * as is from 'typescript/unstable/ast/is';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

// --- the rules ---

/** The only file of server/node that a benchmark may start real servers through. */
const SERVER_ENTRY = 'server/node/index.ts';

/**
 * Which part may import which, besides itself. Imports run one way, so a part may also reach what
 * lies below its neighbours. `proto` is for server and client alone.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  consensus: [],
  ledger: [],
  'server/core': ['consensus', 'ledger', 'proto'],
  'server/node': ['server/core', 'consensus', 'ledger', 'proto'],
  client: ['proto'],
  sim: ['server/core', 'consensus', 'ledger'],
  bench: ['server/core', 'consensus', 'ledger', 'client', SERVER_ENTRY],
  cmd: ['bench', 'sim', 'server/node', 'server/core', 'consensus', 'ledger', 'client'],
  scripts: [],
  test: ['*'],
};

/** What a pure part may import from outside. Everything else reads a clock, a disk or a network. */
const PURE_MODULES = [
  'node:assert',
  'node:assert/strict',
  'node:buffer',
  'node:crypto',
  'node:util',
  'node:zlib',
];
const PACKAGES_OF_PURE: Readonly<Record<string, readonly string[]>> = {
  consensus: [],
  ledger: [],
  'server/core': ['protobufjs'],
};

const CLOCKS = ['Date', 'performance', 'Temporal'];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const ESCAPES = ['globalThis', 'global', 'require', 'eval'];
const OUTSIDE = [
  'process',
  'console',
  'crypto',
  'fetch',
  'Worker',
  'MessageChannel',
  'BroadcastChannel',
  'WeakRef',
  'FinalizationRegistry',
  'Intl',
];
const MEMBERS = ['Math.random', 'process.hrtime', 'process.nextTick', 'process.uptime'];
const RANDOM = [
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'randomUUIDv7',
  'getRandomValues',
  'webcrypto',
  'generateKeyPair',
  'generateKeyPairSync',
  'generateKeySync',
  'generatePrimeSync',
];
const LOCALE = ['localeCompare', 'toLocaleString', 'toLocaleLowerCase', 'toLocaleUpperCase'];

interface Purity {
  /** Globals that may not be named, unless the file declares that name itself. */
  readonly globals: ReadonlySet<string>;
  /** `object.member` pairs. */
  readonly members: ReadonlySet<string>;
  /** Names that may not appear at all, be it as a member or imported. */
  readonly names: ReadonlySet<string>;
  /** async, await and Promise. */
  readonly promises: boolean;
  /** Modules from outside that may be imported; without it all but `closedModules`. */
  readonly modules?: ReadonlySet<string>;
  readonly closedModules?: ReadonlySet<string>;
  readonly moduleState: boolean;
}

function pure(part: string): Purity {
  return {
    globals: new Set([...CLOCKS, ...TIMERS, ...ESCAPES, ...OUTSIDE]),
    members: new Set(MEMBERS),
    names: new Set([...RANDOM, ...LOCALE]),
    promises: false,
    modules: new Set([...PURE_MODULES, ...(PACKAGES_OF_PURE[part] ?? [])]),
    moduleState: false,
  };
}

const PURITY: Readonly<Record<string, Purity>> = {
  consensus: pure('consensus'),
  ledger: pure('ledger'),
  'server/core': pure('server/core'),
  // The simulated world writes reports, but knows no time and no chance other than its seed's.
  sim: {
    globals: new Set([...CLOCKS, ...TIMERS, ...ESCAPES]),
    members: new Set(MEMBERS),
    names: new Set(RANDOM),
    promises: true,
    closedModules: new Set([
      'node:timers',
      'node:timers/promises',
      'node:perf_hooks',
      'node:child_process',
      'node:worker_threads',
    ]),
    moduleState: true,
  },
};

/** The simulator runs the real server: it has no second one. */
const SIM_MAY_NOT_HAVE = /raft|machine|replica|ledger/i;
const SIM_MUST_RUN = 'server/core/server.ts';

const LEAKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    'a registry host',
    /registry\.(npmjs|yarnpkg|npmmirror)\.|npm\.pkg\.github|"resolved":\s*"https?:|(artifactory|verdaccio|jfrog|nexus)[\w.-]*\.(com|net|org|io|dev|internal)\b/i,
  ],
  ["a path of somebody's machine", /(?<![\w.:/-])\/(?:home|Users|work|root|workspace)\/[\w.-]+/],
];

// --- applying them ---

/** Source text by its path from the root, with `/` between folders. */
export type Sources = Readonly<Record<string, string>>;

interface Import {
  /** Null when computed, so that nothing can be said of it. */
  readonly specifier: string | null;
  readonly line: number;
}

export function partOf(path: string): string | null {
  const [top, second, ...rest] = path.split('/');
  if (second === undefined) return ''; // configuration at the root
  if (top === 'server')
    return rest.length > 0 && second in { core: 1, node: 1 } ? `server/${second}` : null;
  return top !== undefined && top in MAY_IMPORT ? top : null;
}

/** Every breach of the import, purity and syntax rules, one line each. Empty when all is well. */
export function breaches(sources: Sources): string[] {
  const found: string[] = [];
  for (const [path, file] of parse(sources)) {
    const part = partOf(path);
    if (part === null) {
      found.push(`${path}: lies in no part of the house; give its folder a row in MAY_IMPORT`);
      continue;
    }
    found.push(...notErasable(path, sources[path] ?? ''));
    if (part === '') continue;
    const imports = importsOf(file);
    found.push(...badImports(path, part, imports));
    const purity = PURITY[part];
    if (purity !== undefined && !isTest(path))
      found.push(...impurities(path, part, purity, file, imports));
  }
  return found.concat(badSimulator(sources));
}

/** Strings that say where a file was written, not what it is for. */
export function leaks(sources: Sources): string[] {
  return Object.entries(sources).flatMap(([path, text]) =>
    LEAKS.flatMap(([what, pattern]) => {
      const match = pattern.exec(text);
      return match === null
        ? []
        : [`${path}:${lineAt(text, match.index)}: holds ${what}: ${match[0]}`];
    }),
  );
}

function badImports(path: string, part: string, imports: readonly Import[]): string[] {
  const allowed = MAY_IMPORT[part] ?? [];
  const found: string[] = [];
  for (const { specifier, line } of imports) {
    const at = `${path}:${line}`;
    if (specifier === null) {
      if (part !== 'test') found.push(`${at}: a computed import cannot be checked; write it out`);
      continue;
    }
    if (specifier.startsWith('/') || specifier.startsWith('#') || specifier.startsWith('file:')) {
      found.push(`${at}: imports ${specifier}; ours are imported by relative path`);
    }
    if (!specifier.startsWith('.')) continue;
    if (!/\.(ts|mjs|json)$/.test(specifier)) {
      found.push(`${at}: imports ${specifier}; write the ending, .ts`);
    }
    const target = posix.join(posix.dirname(path), specifier);
    if (isTest(target) && !isTest(path) && part !== 'test') {
      found.push(`${at}: imports ${target}, which is for tests only`);
      continue;
    }
    const targetPart = partOf(target);
    if (targetPart === part || allowed.includes('*') || allowed.includes(target)) continue;
    if (targetPart === null || !allowed.includes(targetPart)) {
      const may = allowed.length === 0 ? 'nothing else of ours' : `only ${allowed.join(', ')}`;
      found.push(`${at}: imports ${target}; ${part} may import ${may}`);
    }
  }
  return found;
}

function impurities(
  path: string,
  part: string,
  purity: Purity,
  file: SourceFile,
  imports: readonly Import[],
): string[] {
  const found: string[] = [];
  const say = (node: Node, what: string) => {
    found.push(`${path}:${lineAt(file.text, node.getStart(file))}: ${part} may not use ${what}`);
  };
  for (const { specifier, line } of imports) {
    if (specifier === null || specifier.startsWith('.')) continue;
    const name = specifier.startsWith('node:') ? specifier : packageOf(specifier);
    const isOpen = purity.modules?.has(name) ?? !purity.closedModules?.has(name);
    if (!isOpen) found.push(`${path}:${line}: ${part} may not import ${specifier}`);
  }
  const own = declaredNames(file);
  walk(file, (node) => {
    if (is.isIdentifier(node)) {
      if (purity.names.has(node.text)) return say(node, node.text);
      if (isMemberName(node)) return;
      if (purity.globals.has(node.text) && !own.has(node.text)) return say(node, node.text);
      if (!purity.promises && node.text === 'Promise') return say(node, 'Promise');
    }
    if (is.isPropertyAccessExpression(node)) {
      const pair = `${node.expression.getText(file)}.${node.name.text}`;
      if (purity.members.has(pair)) say(node, pair);
    }
    if (is.isElementAccessExpression(node)) {
      const key = node.argumentExpression;
      const pair = isLiteral(key) ? `${node.expression.getText(file)}.${key.text}` : '';
      if (purity.members.has(pair)) say(node, pair);
    }
    if (is.isVariableDeclaration(node) && is.isObjectBindingPattern(node.name)) {
      const object = node.initializer?.getText(file);
      for (const element of node.name.elements) {
        const pair = `${object}.${(element.propertyName ?? element.name)?.getText(file)}`;
        if (purity.members.has(pair)) say(element, pair);
      }
    }
    if (!purity.promises && node.kind === SyntaxKind.AsyncKeyword) say(node, 'async');
    if (!purity.promises && node.kind === SyntaxKind.AwaitKeyword) say(node, 'await');
    if (!purity.promises && is.isAwaitExpression(node)) say(node, 'await');
  });
  if (!purity.moduleState) for (const [node, what] of moduleState(file)) say(node, what);
  return found;
}

/** State that outlives a call and belongs to no object: two units in one process would share it. */
function* moduleState(file: SourceFile): Generator<[Node, string]> {
  for (const statement of file.statements) {
    if (is.isVariableStatement(statement)) {
      if (hasModifier(statement, SyntaxKind.DeclareKeyword)) continue;
      const keyword = statement.declarationList.getText(file).split(/\s/, 1)[0];
      if (keyword !== 'const') yield [statement, `a top-level ${keyword}`];
      for (const { initializer } of statement.declarationList.declarations) {
        if (initializer !== undefined && isEmptyCollection(initializer)) {
          yield [initializer, 'a top-level collection to fill'];
        }
      }
    }
    if (is.isClassDeclaration(statement)) {
      for (const member of statement.members) {
        const isState =
          is.isPropertyDeclaration(member) &&
          hasModifier(member, SyntaxKind.StaticKeyword) &&
          !hasModifier(member, SyntaxKind.ReadonlyKeyword);
        if (isState) yield [member, 'a static field that can change'];
      }
    }
  }
}

function isEmptyCollection(node: Node): boolean {
  return (
    is.isNewExpression(node) &&
    is.isIdentifier(node.expression) &&
    ['Map', 'Set', 'WeakMap', 'WeakSet'].includes(node.expression.text) &&
    (node.arguments === undefined || node.arguments.length === 0)
  );
}

/** Node runs the sources by blanking out types: ask it whether that can be done. */
function notErasable(path: string, text: string): string[] {
  try {
    stripTypeScriptTypes(text, { mode: 'strip' });
    return [];
  } catch (error) {
    const message =
      error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return [`${path}: Node cannot run it as it is: ${message}`];
  }
}

function badSimulator(sources: Sources): string[] {
  const paths = Object.keys(sources).filter((path) => /^sim\/.*\.ts$/.test(path));
  const found = paths
    .filter((path) => SIM_MAY_NOT_HAVE.test(posix.basename(path)))
    .map(
      (path) =>
        `${path}: the simulator runs the real one and has none of its own; name it otherwise if it is none`,
    );
  const own = paths.filter((path) => !isTest(path));
  if (own.length === 0 || sources[SIM_MUST_RUN] === undefined) return found;
  const runsServer = [
    ...parse(Object.fromEntries(own.map((path) => [path, sources[path] ?? '']))),
  ].some(([path, file]) =>
    importsOf(file).some(
      ({ specifier }) =>
        specifier?.startsWith('.') && posix.join(posix.dirname(path), specifier) === SIM_MUST_RUN,
    ),
  );
  return runsServer
    ? found
    : [...found, `sim/: imports ${SIM_MUST_RUN} nowhere, so it does not run the real server`];
}

// --- reading source ---

// One compiler process and one memory file system for all calls; each call gets a folder in it.
const memory = createVirtualFileSystem({});
let compiler: API | undefined;
let calls = 0;

/** Parses all files in one go, from memory. */
function parse(sources: Sources): Map<string, SourceFile> {
  const files = Object.keys(sources);
  if (files.length === 0) return new Map();
  const root = `/house-${calls++}`;
  const config = `${root}/tsconfig.json`;
  const written = [config, ...files.map((path) => `${root}/${path}`)];
  memory.writeFile?.(config, JSON.stringify({ compilerOptions: PARSE_ONLY, files }));
  for (const path of files) memory.writeFile?.(`${root}/${path}`, sources[path] ?? '');
  compiler ??= new API({ cwd: '/', fs: memory });
  const snapshot = compiler.updateSnapshot({ openProjects: [config] });
  const program = snapshot.getProject(config)?.program;
  const parsed = files.map((path): [string, SourceFile] => {
    const file = program?.getSourceFile(`${root}/${path}`);
    if (file === undefined) throw new Error(`TypeScript did not parse ${path}`);
    return [path, file];
  });
  compiler.updateSnapshot({ closeProjects: [config] });
  for (const path of written) memory.removeFile?.(path);
  return new Map(parsed);
}

const PARSE_ONLY = {
  target: 'esnext',
  module: 'esnext',
  noLib: true,
  noResolve: true,
  noCheck: true,
  types: [],
};

/** Static, dynamic and type imports, re-exports, and workers or files named by `new URL`. */
function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const add = (node: Node, target: Node | undefined) => {
    if (target === undefined) return;
    const literal = is.isLiteralTypeNode(target) ? target.literal : target;
    const specifier = isLiteral(literal) ? literal.text : null;
    found.push({ specifier, line: lineAt(file.text, node.getStart(file)) });
  };
  walk(file, (node) => {
    if (is.isImportDeclaration(node) || is.isExportDeclaration(node))
      add(node, node.moduleSpecifier);
    if (is.isExternalModuleReference(node)) add(node, node.expression);
    if (is.isImportTypeNode(node)) add(node, node.argument);
    if (is.isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword)
      add(node, node.arguments[0]);
    if (is.isNewExpression(node) && node.expression.getText(file) === 'URL') {
      const [target, base] = node.arguments ?? [];
      const isOurs = base?.getText(file) === 'import.meta.url';
      if (isOurs && target !== undefined && isLiteral(target) && target.text.endsWith('.ts'))
        add(node, target);
    }
  });
  return found;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild((child) => {
    walk(child, visit);
  });
}

/** Names that a file gives to something of its own: whoever writes them means that, not the global. */
function declaredNames(file: SourceFile): Set<string> {
  const names = new Set<string>();
  walk(file, (node) => {
    const isDeclaration =
      is.isVariableDeclaration(node) ||
      is.isParameterDeclaration(node) ||
      is.isBindingElement(node) ||
      is.isFunctionDeclaration(node) ||
      is.isFunctionExpression(node) ||
      is.isClassDeclaration(node) ||
      is.isInterfaceDeclaration(node) ||
      is.isTypeAliasDeclaration(node) ||
      is.isImportSpecifier(node) ||
      is.isImportClause(node) ||
      is.isNamespaceImport(node);
    if (isDeclaration && node.name !== undefined && is.isIdentifier(node.name))
      names.add(node.name.text);
  });
  return names;
}

/** True for the `now` of `clock.now`, the key of a property, and the like. */
function isMemberName(node: Node): boolean {
  const parent = node.parent;
  const holds = (name: Node | undefined) =>
    name !== undefined && name.pos === node.pos && name.end === node.end;
  if (is.isPropertyAccessExpression(parent)) return holds(parent.name);
  if (is.isQualifiedName(parent)) return holds(parent.right);
  if (is.isBindingElement(parent) || is.isImportSpecifier(parent))
    return holds(parent.propertyName);
  if (
    is.isPropertyAssignment(parent) ||
    is.isPropertyDeclaration(parent) ||
    is.isPropertySignatureDeclaration(parent) ||
    is.isMethodDeclaration(parent) ||
    is.isMethodSignatureDeclaration(parent) ||
    is.isGetAccessorDeclaration(parent) ||
    is.isSetAccessorDeclaration(parent) ||
    is.isNamedTupleMember(parent)
  ) {
    return holds(parent.name);
  }
  return false;
}

function hasModifier(
  node: { readonly modifiers?: Iterable<Node> | undefined },
  kind: SyntaxKind,
): boolean {
  return [...(node.modifiers ?? [])].some((modifier) => modifier.kind === kind);
}

function isLiteral(node: Node): node is StringLiteral | NoSubstitutionTemplateLiteral {
  return is.isStringLiteral(node) || is.isNoSubstitutionTemplateLiteral(node);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Tests, and what only tests use: held to the import rule, not to purity. */
function isTest(path: string): boolean {
  return /\.(test|conformance)\.ts$/.test(path) || path.includes('/testing/');
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

// --- reading the checkout ---

const NOT_OURS = new Set(['.git', 'node_modules', 'coverage', 'data', 'tmp']);

/** Files of the checkout by path. With git what it tracks, or also what it could; else all there is. */
export function checkoutFiles(root: string, which: 'tracked' | 'all'): string[] {
  if (existsSync(join(root, '.git'))) {
    try {
      const others = which === 'all' ? ['--others', '--exclude-standard'] : [];
      const output = execFileSync('git', ['ls-files', '-z', '--cached', ...others], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 28,
      });
      const paths = output
        .split('\0')
        .filter((path) => path !== '' && existsSync(join(root, path)));
      return [...new Set(paths)].sort();
    } catch {
      // No git here, or not our user's checkout: look at the folder itself.
    }
  }
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      posix.join(entry.parentPath.slice(root.length + 1).replaceAll('\\', '/'), entry.name),
    )
    .filter((path) => !path.split('/').some((name) => NOT_OURS.has(name)))
    .sort();
}

/** The text files among these. */
export function readSources(root: string, paths: readonly string[]): Sources {
  const sources: Record<string, string> = {};
  for (const path of paths) {
    const bytes = readFileSync(join(root, path));
    if (!bytes.includes(0)) sources[path] = bytes.toString('utf8');
  }
  return sources;
}
