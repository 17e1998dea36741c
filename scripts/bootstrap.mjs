// Makes `npm start` and `npm test` work from a bare checkout, on whatever Node the machine has:
// installs the locked dependencies when they are missing or stale (among them the Node that runs
// everything else), then runs the given command with that Node first on PATH.
//
//   node scripts/bootstrap.mjs node cmd/main.ts demo
//
// Plain JavaScript without dependencies, for Node 18 and later. Only the command writes to stdout:
// machine output stays clean. Progress and errors go to stderr.
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, hostname } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const BIN = join(MODULES, '.bin');
const STAMP = join(MODULES, '.evenkeel-stamp');
const LOCK = join(ROOT, '.evenkeel-bootstrap.lock');

const LOCK_POLL_MS = 250;
const LOCK_BEAT_MS = 2_000;
/** A holder that has not touched its lock for this long is dead, or its machine is. */
const LOCK_STALE_MS = 60_000;
/** Long enough for an install over a slow line; after it the wait ends with an error. */
const LOCK_WAIT_MS_MAX = 900_000;
/** Of npm's output, kept for the error message. */
const OUTPUT_CHARS_MAX = 20_000;

const onWindows = process.platform === 'win32';

/** Installs what is missing. Returns at once when node_modules is known to match the lock file. */
export async function bootstrap() {
  if (isStamped()) return;
  if (await isReady()) return writeStamp();
  const release = await acquireLock();
  try {
    if (isStamped()) return; // another bootstrap did the work while this one waited
    const startMs = Date.now();
    if (!isTreeCurrent()) {
      note('installing dependencies (npm ci), the first time takes about half a minute');
      await npm(['ci', '--ignore-scripts']);
    }
    if (!(await hasPinnedNode())) {
      note('fetching the pinned Node (npm rebuild node)');
      await npm(['rebuild', 'node', '--ignore-scripts=false']);
      if (!(await hasPinnedNode())) {
        throw new Error(
          `node_modules/.bin/node is not Node ${pinnedNodeVersion()} after npm rebuild`,
        );
      }
    }
    writeStamp();
    note(`dependencies ready after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  } finally {
    release();
  }
}

/**
 * Runs the command as a child and ends as it ends: same exit code, or same signal.
 *
 * In a terminal Ctrl-C reaches the whole process group, so the child has its SIGINT already: this
 * process only has to outlive it. Elsewhere signals arrive here alone and are handed on. A child may
 * still see one request twice (npm hands signals on as well): its handlers must bear that.
 */
export function run([command, ...args]) {
  const path = [BIN, withoutModuleBins(process.env.PATH ?? '')].join(delimiter);
  const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const fromTerminal = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);
  const handled = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR2'];
  // Before the child starts, so that there is no moment at which a signal would end this process alone.
  for (const signal of handled) {
    process.on(signal, () => {
      if (!(inTerminal && fromTerminal.has(signal))) child.kill(signal);
    });
  }
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
    shell: onWindows,
  });
  child.on('error', (error) => {
    note(`cannot run ${command}: ${error.message}`);
    process.exit(error.code === 'ENOENT' ? 127 : 126);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of handled) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // Only reached when that signal does not end this process.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

// --- does node_modules match? ---

/** What the stamp must hold: it changes with the lock file and with the kind of machine. */
function expectedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
}

function isStamped() {
  return readText(STAMP) === expectedStamp() && existsSync(join(BIN, 'node'));
}

function writeStamp() {
  try {
    writeFileSync(STAMP, expectedStamp());
  } catch (error) {
    note(`cannot write ${STAMP} (${error.code}): the next start checks again`);
  }
}

async function isReady() {
  return isTreeCurrent() && (await hasPinnedNode());
}

/**
 * True when npm's own record of the installed tree says what the lock file says: after an
 * `npm install` by hand there is nothing to do, and nothing is torn down under running programs.
 */
function isTreeCurrent() {
  try {
    const locked = readJson(join(ROOT, 'package-lock.json')).packages;
    const installed = readJson(join(MODULES, '.package-lock.json')).packages;
    if (!Object.keys(installed).every((path) => locked[path] !== undefined)) return false;
    return Object.entries(locked).every(([path, entry]) => {
      if (path === '') return true;
      const found = installed[path];
      // Builds for other platforms are locked, though not installed here.
      if (found === undefined) return entry.optional === true || isForOtherPlatform(entry);
      // A tree copied from another kind of machine.
      if (isForOtherPlatform(entry)) return false;
      const isSame = found.version === entry.version && found.integrity === entry.integrity;
      return isSame && existsSync(join(ROOT, path));
    });
  } catch {
    return false; // nothing installed, or not by npm
  }
}

function isForOtherPlatform({ os, cpu }) {
  const { platform, arch } = process;
  return (os !== undefined && !os.includes(platform)) || (cpu !== undefined && !cpu.includes(arch));
}

function pinnedNodeVersion() {
  return readJson(join(ROOT, 'package-lock.json')).packages['node_modules/node'].version;
}

async function hasPinnedNode() {
  const { code, output } = await capture(join(BIN, 'node'), ['--version'], process.env);
  return code === 0 && output.trim() === `v${pinnedNodeVersion()}`;
}

// --- npm ---

async function npm(args) {
  // The flags win over whatever the caller's npm, environment or user configuration says: the
  // pinned Node is a dev dependency, native builds are optional ones, and errors must be readable.
  const flags = [
    '--include=dev',
    '--include=optional',
    '--loglevel=warn',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
  ];
  // npm may have put node_modules/.bin on PATH; the Node there goes away while npm ci runs.
  const env = { ...process.env, PATH: withoutModuleBins(process.env.PATH ?? '') };
  const { code, output } = await capture('npm', [...args, ...flags], env);
  if (code === 0) return;
  const text = output.trim() === '' ? 'it said nothing' : output.trimEnd();
  throw new Error(`npm ${args.join(' ')} failed (${code}):\n${text}`);
}

let runningChild = null;

/** Runs a program with its output kept back. Never rejects: a program that is not there is code 127. */
function capture(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: onWindows,
    });
    runningChild = child;
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      runningChild = null;
      resolve({ code: 127, output: error.message });
    });
    child.on('close', (code, signal) => {
      runningChild = null;
      resolve({ code: code ?? signal, output });
    });
  });
}

function withoutModuleBins(path) {
  const tail = `node_modules${sep}.bin`;
  return path
    .split(delimiter)
    .filter((part) => !part.endsWith(tail))
    .join(delimiter);
}

// --- one bootstrap at a time ---

/**
 * The lock is a folder with its owner's token inside, moved into place by one rename, which fails
 * while another non-empty folder is there. A stale lock is moved aside to a name made from its own
 * token: of several waiters only one can do that, and none can move away a newer lock by mistake.
 */
async function acquireLock() {
  const token = `${hostname()}-${process.pid}-${randomUUID()}`;
  const staged = `${LOCK}.${token}`;
  const leftovers = [staged];
  let beat;
  const release = () => {
    clearInterval(beat);
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    if (readText(join(LOCK, 'owner')) === token) leftovers.push(LOCK);
    for (const path of leftovers) rmSync(path, { recursive: true, force: true });
  };
  // Stopped in the middle: take npm down too and leave no lock behind.
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const handler = () => {
      runningChild?.kill(signal);
      release();
      process.exit(128 + constants.signals[signal]);
    };
    process.on(signal, handler);
    return [signal, handler];
  });
  try {
    mkdirSync(staged);
    writeFileSync(join(staged, 'owner'), token);
    const startMs = Date.now();
    for (let turn = 0; !move(staged, LOCK); turn++) {
      if (turn === 0) note('another bootstrap is running here, waiting for it');
      if (Date.now() - startMs > LOCK_WAIT_MS_MAX) {
        throw new Error(
          `locked for ${LOCK_WAIT_MS_MAX / 1000} s; if no npm runs here, remove ${LOCK}`,
        );
      }
      const owner = readText(join(LOCK, 'owner'));
      const grave = `${LOCK}.${owner}.stale`;
      if (owner !== null && isStale(owner) && move(LOCK, grave)) leftovers.push(grave);
      else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    }
  } catch (error) {
    release();
    throw error;
  }
  beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(join(LOCK, 'owner'), now, now);
    } catch {
      // Removed by hand: nothing to keep alive.
    }
  }, LOCK_BEAT_MS);
  beat.unref();
  return release;
}

/** False when something is in the way, or was moved by another meanwhile. */
function move(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    const isInTheWay = ['ENOTEMPTY', 'EEXIST'].includes(error.code);
    const isGone = error.code === 'ENOENT' && from === LOCK;
    if (isInTheWay || isGone || (onWindows && error.code === 'EPERM')) return false;
    throw error;
  }
}

function isStale(owner) {
  try {
    if (Date.now() - statSync(join(LOCK, 'owner')).mtimeMs > LOCK_STALE_MS) return true;
  } catch {
    return false; // released meanwhile
  }
  const pid = Number(owner.slice(hostname().length + 1).split('-')[0]);
  if (!owner.startsWith(`${hostname()}-`) || !Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

// --- small things ---

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function note(text) {
  process.stderr.write(`evenkeel: ${text}\n`);
}

async function main() {
  const command = process.argv.slice(2);
  try {
    await bootstrap();
  } catch (error) {
    note(`bootstrap failed: ${error.message}`);
    process.exit(1);
  }
  if (command.length > 0) run(command);
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  await main();
}
