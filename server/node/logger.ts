import pino from 'pino';
import type { LogLine } from '../core/environment.ts';

/** JSON lines on stderr, each with the server's name. Written at once, so that the last words before an exit are kept. */
export function createLogger(server: string): LogLine {
  const logger = pino(
    { base: { server }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
  return (level, text, fields = {}) => logger[level](fields, text);
}
