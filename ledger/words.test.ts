import { describe, expect, it } from 'vitest';
import { WordBuffer } from './words.ts';

describe('WordBuffer', () => {
  it('keeps every word over all the times it grows', () => {
    const buffer = new WordBuffer();
    for (let word = 1; word <= 5_000; word += 1) buffer.push(word);
    const taken = buffer.take();
    expect(taken.length).toBe(5_000);
    expect(taken.findIndex((word, i) => word !== i + 1)).toBe(-1);
    expect(buffer.length).toBe(0);
  });

  it('starts every row with zeros, also where others were before', () => {
    const buffer = new WordBuffer();
    buffer.push(7);
    buffer.take();
    buffer.addRow(3);
    expect([...buffer.take()]).toEqual([0, 0, 0]);
  });
});
