import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ControlReply, startControl } from './control.ts';
import { control } from './control-client.ts';
import { freePorts } from './free-ports.ts';
import type { LinkRule } from './peers/emulation.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function start(): Promise<{ port: number; rules: (readonly LinkRule[] | 'reset')[] }> {
  const [port] = await freePorts(1);
  const rules: (readonly LinkRule[] | 'reset')[] = [];
  const started = await startControl(port!, {
    setLinks: (given) => {
      if (given.some(({ from }) => from === 'mars')) return ['0.from: mars is no zone'];
      rules.push(given);
      return [];
    },
    resetLinks: () => void rules.push('reset'),
    status: () => {
      if (rules.length > 1) throw new Error('no status today');
      return { links: rules.length };
    },
  });
  closers.push(() => started.close());
  return { port: port!, rules };
}

/** Everything that is answered to `text`, sent in the given pieces, until the connection ends. */
async function raw(port: number, ...pieces: string[]): Promise<ControlReply[]> {
  const socket = connect(port, '127.0.0.1');
  const ended = new Promise((done) => socket.on('close', done));
  let answer = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  for (const piece of pieces) {
    await new Promise((done) => socket.write(piece, done));
    await new Promise((done) => setTimeout(done, 5));
  }
  socket.end();
  await ended;
  return answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ControlReply);
}

describe('the control socket', () => {
  test('sets and resets links, answers pings, tells the status', async () => {
    const { port, rules } = await start();
    const rule = { from: 'hz1', to: '*', cut: true, bothWays: true };
    expect(await control(port, { command: 'ping' })).toBeUndefined();
    await control(port, { command: 'setLinks', rules: [rule] });
    expect(await control(port, { command: 'status' })).toEqual({ links: 1 });
    await control(port, { command: 'resetLinks' });
    expect(rules).toEqual([[rule], 'reset']);
  });

  test('answers lines in order, however they are cut', async () => {
    const { port } = await start();
    const replies = await raw(
      port,
      '{"command":"pi',
      'ng"}\n{"command":"dance"}\n{"comm',
      'and":"status"}\n',
    );
    expect(replies.map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  test.each([
    '{"command":"dance"}',
    '{"command":"setLinks"}',
    '{"command":"setLinks","rules":[{"from":"hz1","to":"*","delayMs":-1}]}',
    '{"command":"setLinks","rules":[{"from":"hz1","to":"*","speed":1}]}',
    '{"command":"setLinks","rules":[{"from":"mars","to":"*"}]}',
    '{"command":"ping","extra":1}',
    'null',
    '[]',
  ])('refuses %s with a reason, changes nothing and goes on', async (line) => {
    const { port, rules } = await start();
    const [refusal, pong] = await raw(port, `${line}\n{"command":"ping"}\n`);
    expect(refusal).toMatchObject({ ok: false, error: expect.stringMatching(/./) });
    expect(pong).toEqual({ ok: true });
    expect(rules).toEqual([]);
  });

  test('answers a fault of its own, too', async () => {
    const { port } = await start();
    await control(port, { command: 'resetLinks' });
    await control(port, { command: 'resetLinks' });
    await expect(control(port, { command: 'status' })).rejects.toThrow('no status today');
    await control(port, { command: 'ping' });
  });

  test('ends with the first line that is no JSON, so that a web page cannot reach it', async () => {
    const { port, rules } = await start();
    const page = 'POST / HTTP/1.1\r\nHost: x\r\n\r\n{"command":"resetLinks"}\n';
    expect(await raw(port, page)).toEqual([{ ok: false, error: 'not a line of JSON' }]);
    expect(rules).toEqual([]);
  });

  test('ends with a line that has no end', async () => {
    const { port } = await start();
    const replies = await raw(port, 'x'.repeat(300 << 10));
    expect(replies).toEqual([{ ok: false, error: expect.stringContaining('a line of more than') }]);
    await control(port, { command: 'ping' });
  });

  test('takes loopback connections only', async () => {
    const { port } = await start();
    // Bound to all addresses, this would be in use.
    const other = createServer();
    await new Promise<void>((done, fail) => {
      other.once('error', fail);
      other.listen(port, '127.0.0.2', done);
    });
    other.close();
  });

  test('whose port is taken says which', async () => {
    const { port } = await start();
    const hooks = { setLinks: () => [], resetLinks: () => {}, status: () => null };
    await expect(startControl(port, hooks)).rejects.toThrow(`127.0.0.1:${port}`);
  });
});
