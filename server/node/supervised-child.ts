import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Of the log's end, in an error. */
const TAIL_LINES = 12;

/**
 * Kills process $1 when our own process has ended, however: at its end the pipe on stdin closes. A server then stops by
 * itself, for its stdin has closed too; one that hangs or was stopped by SIGSTOP can't, and is killed after 5 s.
 */
const GUARD = `trap "" INT; read _; i=0
while kill -0 "$1" 2>/dev/null; do
  i=$((i+1)); if [ $i -gt 50 ]; then kill -9 "$1"; break; fi; sleep 0.1
done`;

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A child process that says when it is ready, by a line of JSON on stdout with `"ready": true`, and that ends when
 * this process does, for its stdin closes. All else that it says goes to the log file.
 */
export class SupervisedChild {
  readonly pid: number;
  /** Rejects if the child ends before. */
  readonly ready: Promise<void>;
  readonly exited: Promise<ChildExit>;
  readonly #child: ChildProcess;

  constructor(command: readonly string[], logFile: string) {
    const [file, ...args] = command as [string, ...string[]];
    const logFd = openSync(logFile, 'a');
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', logFd], env: ownEnvironment() });
    this.#child = child;
    const exit = Promise.withResolvers<ChildExit>();
    const ready = Promise.withResolvers<void>();
    this.exited = exit.promise;
    this.ready = ready.promise;
    // Whoever doesn't wait for readiness still hears of the exit.
    this.ready.catch(() => {});
    // A pipe to a process that has ended is no news.
    child.stdin?.on('error', () => {});
    if (child.pid === undefined) {
      child.on('error', (error) => {
        closeSync(logFd);
        ready.reject(error);
        exit.resolve({ code: null, signal: null });
      });
      this.pid = 0;
      return; // above all no guard for pid 0, which means the whole process group
    }
    this.pid = child.pid;
    const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', String(child.pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.on('error', () => {}); // no shell: then a hung server outlives a killed parent
    guard.stdin?.on('error', () => {});
    child.on('error', () => {}); // of a signal that came too late
    readLines(child, (line) => {
      if (isReady(line)) ready.resolve();
      else writeSync(logFd, `${line}\n`);
    });
    // 'close' comes after the last line of output, unlike 'exit'.
    child.on('close', (code, signal) => {
      guard.kill('SIGKILL');
      closeSync(logFd);
      ready.reject(
        new Error(`${describeExit({ code, signal })} before it was ready:\n${tail(logFile)}`),
      );
      exit.resolve({ code, signal });
    });
  }

  /** False if it has ended already. */
  kill(signal: NodeJS.Signals): boolean {
    return (
      this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill(signal)
    );
  }
}

export function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/** Our settings are for us: a child has its configuration whole in its file. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('EVENKEEL_'));
  return Object.fromEntries(kept);
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8');
  child.stdout?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
  child.stdout?.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

function isReady(line: string): boolean {
  if (!line.startsWith('{')) return false;
  try {
    return (JSON.parse(line) as { ready?: unknown }).ready === true;
  } catch {
    return false;
  }
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
