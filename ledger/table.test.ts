import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AccountStatus, TransferStatus } from './status.ts';
import { parseTable } from './testing/table.ts';
import { OracleSubject, runCase } from './testing/table-run.ts';

const FOLDER = new URL('testdata/', import.meta.url);
const tables = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')] as const);

describe.each(tables)('%s', (_name, text) => {
  it.each(parseTable(text).map((one) => [one.name, one] as const))('%s', (_case, one) => {
    runCase(one, new OracleSubject());
  });
});

it('the tables expect every public status', () => {
  const expected = new Set(
    tables
      .flatMap(([, text]) => parseTable(text))
      .flatMap(({ lines }) => lines.map((line) => line.expected)),
  );
  const all = [...Object.keys(AccountStatus), ...Object.keys(TransferStatus)];
  expect(all.filter((name) => !expected.has(name))).toEqual([]);
});
