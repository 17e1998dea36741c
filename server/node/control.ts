import { createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { EvenkeelError } from '../core/error.ts';
import { linkRulesSchema } from './config-schema.ts';
import type { LinkRule } from './peers/emulation.ts';
import type { PeerStats } from './peers/links.ts';

/** A line longer than this ends its connection. */
const LINE_BYTES_MAX = 256 << 10;
const CONNECTIONS_MAX = 16;
/** Never anything else: whoever can connect may cut links. */
const HOST = '127.0.0.1';

const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('ping') }),
  z.strictObject({ command: z.literal('status') }),
  /** Replaces all rules of the emulated network. */
  z.strictObject({ command: z.literal('setLinks'), rules: linkRulesSchema }),
  /** Back to the rules of the configuration. */
  z.strictObject({ command: z.literal('resetLinks') }),
]);

export type ControlCommand = z.infer<typeof commandSchema>;
export type ControlReply =
  | { readonly ok: true; readonly status?: unknown }
  | { readonly ok: false; readonly error: string };

/** What `status` answers, of a server. */
export interface ControlStatus {
  readonly links: readonly LinkRule[];
  readonly peers: readonly PeerStats[];
}

export interface ControlHooks {
  /** What is wrong with the rules, if anything; then they must not have been set. */
  setLinks(rules: readonly LinkRule[]): readonly string[];
  resetLinks(): void;
  status(): unknown;
}

/**
 * The control socket of rehearsals: JSON lines on loopback, answered in order. For `drill` only. A line that is
 * no JSON at all is answered and ends the connection, so that a browser's request, whose body a web page may choose,
 * never gets as far as its body.
 */
export async function startControl(port: number, hooks: ControlHooks): Promise<{ close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, hooks);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `can't listen on ${HOST}:${port} for control: ${cause.message}`;
      reject(new EvenkeelError('port_in_use', message, { cause }));
    });
    server.listen(port, HOST, resolve);
  });
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: Socket, hooks: ControlHooks): void {
  const leave = (error: string) => socket.end(lineOf({ ok: false, error }));
  readLines(socket, leave, (line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      leave('not a line of JSON');
      return;
    }
    socket.write(lineOf(answer(value, hooks)));
  });
}

function answer(value: unknown, hooks: ControlHooks): ControlReply {
  const parsed = commandSchema.safeParse(value);
  if (!parsed.success) return { ok: false, error: z.prettifyError(parsed.error) };
  const command = parsed.data;
  try {
    switch (command.command) {
      case 'ping':
        return { ok: true };
      case 'status':
        return { ok: true, status: hooks.status() };
      case 'setLinks': {
        const problems = hooks.setLinks(command.rules);
        return problems.length === 0 ? { ok: true } : { ok: false, error: problems.join('; ') };
      }
      case 'resetLinks':
        hooks.resetLinks();
        return { ok: true };
    }
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}

function lineOf(reply: ControlReply): string {
  return `${JSON.stringify(reply)}\n`;
}

/** Calls `onLine` for each whole line until the connection ends or a line is too long. */
function readLines(
  socket: Socket,
  onTooLong: (error: string) => void,
  onLine: (line: string) => void,
): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (socket.writableEnded) return;
      onLine(line);
    }
    if (rest.length > LINE_BYTES_MAX && !socket.writableEnded) {
      onTooLong(`a line of more than ${LINE_BYTES_MAX} bytes`);
    }
    if (socket.writableEnded) rest = '';
  });
}
