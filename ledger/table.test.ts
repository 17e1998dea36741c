import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AccountStatus, TransferStatus } from './status.ts';
import { parseTable } from './testing/table.ts';
import { OracleSubject, runCase, type Subject } from './testing/table-run.ts';
import { UnitUnderTest } from './testing/unit-under-test.ts';

const FOLDER = new URL('testdata/', import.meta.url);
const tables = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map((name) => ({ name, cases: parseTable(readFileSync(new URL(name, FOLDER), 'utf8')) }));

/** The machine beside the oracle; it forgets all that its books hold. */
function machine(): Subject {
  const unit = new UnitUnderTest(1, 0, { units: 1 });
  unit.initialise();
  return unit;
}

for (const { name, cases } of tables) {
  describe(name, () => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
      runCase(one, new OracleSubject());
      runCase(one, machine());
    });
  });
}

it('the tables expect every public status', () => {
  const lines = tables.flatMap(({ cases }) => cases.flatMap((one) => one.lines));
  const expected = new Set(lines.map((line) => line.expected));
  const all = [...Object.keys(AccountStatus), ...Object.keys(TransferStatus)];
  expect(all.filter((status) => !expected.has(status))).toEqual([]);
});
