import { spawn } from 'node:child_process';

/**
 * Runs a line of shell, with $1, once this process has ended without `release`, however it ended: the pipe on the
 * shell's stdin closes then. A process group of its own keeps it from signals that are meant for us.
 */
export function guard(line: string, argument: string): { release(): void } {
  const shell = spawn('/bin/sh', ['-c', `read _; ${line}`, 'guard', argument], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  shell.on('error', () => {});
  return { release: () => void shell.kill('SIGKILL') };
}
