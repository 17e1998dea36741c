import { connect } from 'node:net';
import type { ControlCommand, ControlReply } from './control.ts';

const TIMEOUT_MS = 2_000;

/** Sends one command to the control socket of a server on this machine. Throws if it isn't done. */
export async function control(port: number, command: ControlCommand): Promise<unknown> {
  const reply = await new Promise<ControlReply>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`control port ${port}: ${why}`));
    };
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(TIMEOUT_MS, () => fail(`no answer within ${TIMEOUT_MS} ms`));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed without an answer'));
    socket.on('connect', () => socket.write(`${JSON.stringify(command)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      resolve(JSON.parse(text) as ControlReply);
      socket.destroy();
    });
  });
  if (!reply.ok) throw new Error(`control port ${port}: ${command.command}: ${reply.error}`);
  return reply.status;
}
