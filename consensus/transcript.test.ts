import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTranscript } from './testing/transcript.ts';

const FOLDER = join(import.meta.dirname, 'testdata');

// REWRITE=1 writes what the code does now: a change of the protocol then shows as a change of text.
const { REWRITE } = process.env;

describe('transcripts', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

  it.each(files.sort())('%s', (name) => {
    const path = join(FOLDER, name);
    const before = readFileSync(path, 'utf8');
    const now = runTranscript(before);
    if (REWRITE === '1') writeFileSync(path, now);
    else expect(now).toBe(before);
  });
});
