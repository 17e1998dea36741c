/** docs/consensus-scenarios.md against the tests and transcripts that it names. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(import.meta.dirname);
const DOC = 'docs/consensus-scenarios.md';

interface Scenario {
  readonly id: string;
  readonly setup: string;
  readonly expected: string;
  readonly shownBy: readonly { readonly file: string; readonly title: string }[];
}

/** Sections `### C17` with `Setup:`, `Expected:` and ``Shown by: `FILE` "TITLE"; `FILE` ``. */
function parse(doc: string): Scenario[] {
  return doc
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [id = '', ...lines] = section.split(/\n(?=#)/)[0]?.split('\n') ?? [];
      const text = lines.join(' ').replaceAll(/\s+/g, ' ');
      const part = (from: string, to: string) =>
        (text.split(`${from}: `)[1] ?? '').split(to === '' ? '\n' : `${to}: `)[0]?.trim() ?? '';
      const shown = part('Shown by', '').matchAll(/`([^`]+)`(?: "([^"]*)")?/g);
      return {
        id: id.trim(),
        setup: part('Setup', 'Expected'),
        expected: part('Expected', 'Shown by'),
        shownBy: [...shown].map(([, file = '', title = '']) => ({ file, title })),
      };
    });
}

/** What is wrong with a scenario as documented; empty if nothing is. */
function faults({ id, setup, expected, shownBy }: Scenario): string[] {
  const found: string[] = [];
  if (!/^C\d+$/.test(id)) found.push(`"${id}" is no number of a scenario`);
  if (setup === '') found.push(`${id} has no setup`);
  if (expected === '') found.push(`${id} has no expected outcome`);
  if (shownBy.length === 0) found.push(`${id} names no test and no transcript`);
  for (const { file, title } of shownBy) {
    const path = join(ROOT, file);
    if (!existsSync(path)) found.push(`${id}: ${file} does not exist`);
    else if (file.endsWith('.txt')) found.push(...transcriptFaults(id, file));
    else if (!hasTest(readFileSync(path, 'utf8'), title))
      found.push(`${id}: ${file} has no test "${title}"`);
    else if (!carries(title, id) && shownBy.every((other) => !carries(other.title, id)))
      found.push(`${id}: the title of no test that shows it carries the number`);
  }
  return found;
}

const carries = (text: string, id: string): boolean => new RegExp(`\\b${id}\\b`).test(text);

/** A test or group of tests with this very title, and not skipped. */
function hasTest(source: string, title: string): boolean {
  const quoted = [`'${title}'`, `"${title}"`, `\`${title}\``];
  return quoted.some((text) => {
    const at = source.indexOf(text);
    if (title === '' || at < 0) return false;
    const before = source.slice(0, at).trimEnd();
    return before.endsWith('(') && !/\.(skip|todo|fails|only)\($/.test(before);
  });
}

/** The number stands in a comment of a transcript, with commands below it. */
function transcriptFaults(id: string, file: string): string[] {
  const blocks = readFileSync(join(ROOT, file), 'utf8').split(/\n\n+/);
  const at = blocks.findIndex((block) =>
    block.split('\n').some((line) => line.startsWith('#') && carries(line, id)),
  );
  if (at < 0) return [`${id}: no comment in ${file} carries the number`];
  const below = blocks.slice(at).some((block) => block.includes('\n----\n'));
  return below ? [] : [`${id}: nothing follows its comment in ${file}`];
}

describe('the scenarios of consensus', () => {
  const scenarios = parse(readFileSync(join(ROOT, DOC), 'utf8'));

  it('each have a setup, an outcome, and a test or transcript that carries the number', () => {
    expect(scenarios.flatMap(faults)).toEqual([]);
  });

  it('each stand there once, in order', () => {
    const numbers = Array.from({ length: 144 }, (_, i) => `C${i + 1}`);
    expect(scenarios.map(({ id }) => id)).toEqual(numbers);
  });

  it('are missed by this check when they lack something', () => {
    const here = 'consensus/scenarios.test.ts';
    const check = (text: string) => parse(`### C1\n${text}`).flatMap(faults);
    const told = 'Setup: a.\nExpected: b.\n';
    expect(check(`${told}Shown by: \`consensus/none.test.ts\` "C1 x"`)).toEqual([
      'C1: consensus/none.test.ts does not exist',
    ]);
    expect(check(`${told}Shown by: \`${here}\` "C1 no such test"`)).toEqual([
      `C1: ${here} has no test "C1 no such test"`,
    ]);
    expect(check(`${told}Shown by: \`${here}\` "each stand there once, in order"`)).toEqual([
      'C1: the title of no test that shows it carries the number',
    ]);
    expect(check(`${told}Shown by: \`consensus/testdata/conflict.txt\``)).toEqual([
      'C1: no comment in consensus/testdata/conflict.txt carries the number',
    ]);
    expect(check('Setup: a.\nShown by: -')).toEqual([
      'C1 has no expected outcome',
      'C1 names no test and no transcript',
    ]);
  });
});
