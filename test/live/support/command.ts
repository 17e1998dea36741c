import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Defer } from './defer.ts';
import { guard } from './guard.ts';
import { groupMembers } from './processes.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../../cmd/main.ts', import.meta.url));

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `evenkeel ARGS` as a process that leads a group of its own, as in a terminal. */
export class Command {
  readonly pid: number;
  readonly ended: Promise<CommandEnd>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  constructor(defer: Defer, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...withoutOurs(), ...env },
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid!;
    const guarded = guard('kill -9 -- "-$1"', String(this.pid));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        // What it wrote last may still be in the pipes; its children may hold these open for ever.
        setTimeout(() => resolve({ code, signal }), 50);
      });
    });
    defer(() => {
      if (groupMembers(this.pid).length > 0) this.signalGroup('SIGKILL');
      guarded.release();
    });
  }

  /** To the process alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** To it and all that it started, as Ctrl-C does. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Its processes that run, with their command lines. */
  members(): { pid: number; command: string }[] {
    return groupMembers(this.pid);
  }

  /** Comes back when it has said so; fails at once if it ends before. */
  async says(where: 'stdout' | 'stderr', pattern: RegExp, withinMs: number): Promise<void> {
    let end: CommandEnd | null = null;
    void this.ended.then((value) => {
      end = value;
    });
    await until(`${where} to match ${pattern}`, withinMs, () => {
      if (pattern.test(this[where])) return true;
      if (end !== null) throw new Error(`it ended, ${JSON.stringify(end)}:\n${this.stderr}`);
      return false;
    });
  }
}

/** Runs a command to its end. */
export async function run(
  defer: Defer,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandEnd & { stdout: string; stderr: string }> {
  const command = new Command(defer, args, env);
  const end = await command.ended;
  return { ...end, stdout: command.stdout, stderr: command.stderr };
}

/** Settings of servers come from the environment too; those of the test run are not for them. */
function withoutOurs(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('EVENKEEL_'));
  return Object.fromEntries(kept);
}
