import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DueTimer } from './due-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start(): { timer: DueTimer; firedMs: number[] } {
  const startMs = Date.now();
  const nowMs = () => Date.now() - startMs;
  const firedMs: number[] = [];
  return { timer: new DueTimer(nowMs, () => firedMs.push(nowMs())), firedMs };
}

test('fires once, not before it is due', () => {
  const { timer, firedMs } = start();
  timer.arm(7.2);
  vi.advanceTimersByTime(100);
  expect(firedMs).toEqual([8]);
});

test('fires for the earliest of what it was armed for', () => {
  const { timer, firedMs } = start();
  timer.arm(50);
  timer.arm(10);
  timer.arm(30);
  vi.advanceTimersByTime(100);
  expect(firedMs).toEqual([10]);
});

test('may be armed again when it has fired, and for what is due already', () => {
  const { timer, firedMs } = start();
  timer.arm(10);
  vi.advanceTimersByTime(20);
  timer.arm(15);
  vi.advanceTimersByTime(20);
  expect(firedMs).toEqual([10, 21]);
});

test('closed, never fires', () => {
  const { timer, firedMs } = start();
  timer.arm(10);
  timer.close();
  vi.advanceTimersByTime(20);
  expect(firedMs).toEqual([]);
});
