import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateBook } from '../../cmd/bank/generate.ts';
import { run } from './support/command.ts';
import { tempFolder } from './support/defer.ts';

const BUDGET_MS = 30_000;
const book = Buffer.from([...generateBook({ seed: 1, rows: 100, accounts: 10 })].join(''));

/** The book with its line replaced; the header is line 1. */
function withLine(line: number, change: (text: string) => string): Buffer {
  const lines = book.toString().split('\n');
  lines[line - 1] = change(lines[line - 1]!);
  return Buffer.from(lines.join('\n'));
}

const field = (index: number, value: string) => (text: string) =>
  text.split(',').with(index, value).join(',');

const faults: [string, string, Buffer, RegExp][] = [
  ['an amount in words', 'book.csv', withLine(42, field(6, 'ten')), /book\.csv:42: .*amount_haler/],
  ['a day that is none', 'book.csv', withLine(9, field(1, '2024-02-30')), /book\.csv:9: .*date/],
  ['a field too few', 'book.csv', withLine(77, () => '76,2024-01-01'), /book\.csv:77: .*fields/],
  ['another header', 'book.csv', withLine(1, field(3, 'seite')), /book\.csv:1: .*side/],
  ['an end inside a line', 'book.csv', book.subarray(0, -30), /book\.csv:101: /],
  ['no row', 'book.csv', book.subarray(0, book.indexOf('\n') + 1), /book\.csv:2: .*row/],
  [
    'gzip data cut short',
    'book.csv.gz',
    gzipSync(book).subarray(0, -400),
    /book\.csv\.gz:\d+: .*cut short/,
  ],
];

describe.each(faults)('a book with %s', (_what, name, bytes, message) => {
  test(
    'is refused by replay with its line, exit code 2 and no connection made',
    async () => {
      const file = join(tempFolder(onTestFinished), name);
      writeFileSync(file, bytes);
      const { port, connections } = await countConnections();
      const end = await run(onTestFinished, ['replay', file, '--servers', `127.0.0.1:${port}`]);
      expect(end.stderr).toMatch(message);
      expect(end.stderr.trim().split('\n')).toHaveLength(1);
      expect(end).toMatchObject({ code: 2, stdout: '' });
      expect(connections()).toBe(0);
    },
    BUDGET_MS,
  );

  test(
    'is refused by demo with its line, exit code 2 and nothing started',
    async () => {
      const folder = tempFolder(onTestFinished);
      const file = join(folder, name);
      writeFileSync(file, bytes);
      const temp = tempFolder(onTestFinished);
      const args = ['demo', '--json', '--input', file, '--keep', join(temp, 'kept')];
      const end = await run(onTestFinished, args, { TMPDIR: temp });
      expect(end.stderr).toMatch(message);
      expect(end.stderr.trim().split('\n')).toHaveLength(1);
      expect(end).toMatchObject({ code: 2, stdout: '' });
      expect(readdirSync(temp)).toEqual([]);
    },
    BUDGET_MS,
  );
});

async function countConnections(): Promise<{ port: number; connections: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as { port: number }).port, connections: () => count };
}
