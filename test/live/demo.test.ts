import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Command, run } from './support/command.ts';
import { forFile, tempFolder } from './support/defer.ts';

const BUDGET_MS = 90_000;
const STOP_MS_MAX = 12_000;
const ROWS = 3_000;

const book = join(tempFolder(forFile()), 'book.csv.gz');
beforeAll(async () => {
  const args = ['generate-bank', '--seed', '7', '--rows', String(ROWS), '--accounts', '150'];
  const { code, stderr } = await run(forBeforeAll, [...args, '--output', book]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}, 30_000);
/** A command that has ended needs no undoing. */
function forBeforeAll(): void {}

function demo(temp: string, ...more: string[]): Command {
  const args = ['demo', '--json', '--input', book, '--rate', '1000', ...more];
  return new Command(onTestFinished, args, { TMPDIR: temp });
}

describe('evenkeel demo', () => {
  test(
    'ends well, says so in one line of JSON with the documented fields, and leaves nothing',
    async () => {
      const temp = tempFolder(onTestFinished);
      const command = demo(temp);
      const end = await command.ended;
      expect(command.stdout.trim().split('\n')).toHaveLength(1);
      const report = JSON.parse(command.stdout) as Record<string, unknown>;
      // The run is too short for a rate: windows under 5 s have none.
      const rate = expect.toSatisfy((n) => n === null || Number.isInteger(n));
      expect(report).toStrictEqual({
        rows: ROWS,
        balances_exact: ROWS,
        balance_off_max: 0,
        acknowledged: ROWS,
        acknowledged_lost: 0,
        duplicates: 0,
        zones_equal: true,
        transfers_per_second: { before: rate, during: rate, after: rate },
        longest_gap_ms: expect.any(Number),
        ok: true,
      });
      expect(end.code).toBe(0);
      expect(command.stderr).toMatch(/killed zone (hz1|hz2|sh1)/);
      expect(command.stderr).toMatch(/started zone (hz1|hz2|sh1) again/);
      expect(command.members()).toEqual([]);
      expect(readdirSync(temp)).toEqual([]);
    },
    BUDGET_MS,
  );

  test.each([
    ['while it starts', /starting three zones/],
    ['while it books', /booking \d+ rows/],
    ['while a zone is down', /killed zone/],
    ['while the zone comes back', /started zone/],
  ])(
    'leaves no process and no folder after Ctrl-C %s, exit code not 0',
    async (_when, pattern) => {
      const temp = tempFolder(onTestFinished);
      const command = demo(temp);
      await command.says('stderr', pattern, 60_000);
      command.signalGroup('SIGINT');
      const startMs = performance.now();
      const end = await command.ended;
      expect(performance.now() - startMs).toBeLessThan(STOP_MS_MAX);
      expect(end).toEqual({ code: 1, signal: null });
      expect(command.stderr).toContain('interrupted');
      expect(command.stdout).toBe('');
      expect(command.members()).toEqual([]);
      expect(readdirSync(temp)).toEqual([]);
    },
    BUDGET_MS,
  );

  test(
    'leaves the data where --keep says',
    async () => {
      const temp = tempFolder(onTestFinished);
      const kept = join(temp, 'kept');
      const command = demo(temp, '--keep', kept);
      expect((await command.ended).code).toBe(0);
      expect(command.stderr).toContain(kept);
      for (const zone of ['hz1-1', 'hz2-2', 'sh1-3']) {
        expect(existsSync(join(kept, zone, 'data', 'books', 'unit-4.sqlite'))).toBe(true);
      }
      expect(readdirSync(temp)).toEqual(['kept']);
      expect(command.members()).toEqual([]);
    },
    BUDGET_MS,
  );
});
