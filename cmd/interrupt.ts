import { FailedError } from './exit.ts';

/**
 * Runs work that must clean up after itself: Ctrl-C and SIGTERM abort its signal, with the error to end with.
 * One Ctrl-C may arrive twice, since npm hands it on too, so none of them ends the process by itself.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new FailedError('interrupted'));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
