import { describe, expect, it } from 'vitest';
import { CLOCK_RTT_MS_MAX, PEER_FRESH_MS } from './limits.ts';
import type { EnvelopeMessage } from './messages.ts';
import { PeerViews } from './peer-views.ts';

const NOW_MS = 10_000;
const WALL_MS = 1_000_000;
const RTT_MS = 20;

/** An answer, just heard, of a peer whose clock is `offMs` ahead of ours. */
const answer = (offMs: number, other: Partial<EnvelopeMessage> = {}): EnvelopeMessage => ({
  type: 'envelope',
  epoch: 1,
  sentUs: 0,
  echoUs: (NOW_MS - RTT_MS) * 1_000,
  wallMs: WALL_MS + offMs - RTT_MS / 2,
  logEnd: 0,
  isSick: false,
  beats: [],
  acks: [],
  ...other,
});

/** Peers 2, 3 and so on, whose clocks are so far ahead of ours. */
function peersWith(...offsetsMs: number[]): PeerViews {
  const peers = new PeerViews();
  offsetsMs.forEach((offMs, i) => {
    peers.heard(i + 2, answer(offMs), NOW_MS, WALL_MS);
  });
  return peers;
}

it('a new process with less in its log than the former one told has an older copy of its disk', () => {
  const peers = new PeerViews();
  expect(peers.hasOlderLog(2, 1, 5)).toBe(false);
  peers.heard(2, answer(0, { logEnd: 90 }), NOW_MS, WALL_MS);
  peers.heard(2, answer(0, { logEnd: 70 }), NOW_MS, WALL_MS);
  expect(peers.hasOlderLog(2, 1, 5)).toBe(false);
  expect(peers.hasOlderLog(2, 7, 89)).toBe(true);
  expect(peers.hasOlderLog(2, 7, 90)).toBe(false);
  expect(peers.hasOlderLog(2, 7, 0)).toBe(false);
});

describe('the error of our clock', () => {
  it('is nothing where all agree, however long answers take', () => {
    expect(peersWith(0, 0).clockErrorMs(NOW_MS)).toBeCloseTo(0);
  });

  it('is what both peers differ by', () => {
    expect(peersWith(-2_000, -2_000).clockErrorMs(NOW_MS)).toBe(2_000);
  });

  it('is nothing if one peer is wrong, or if there is only one peer', () => {
    expect(peersWith(5_000, 0).clockErrorMs(NOW_MS)).toBeCloseTo(0);
    expect(peersWith(5_000).clockErrorMs(NOW_MS)).toBeCloseTo(0);
  });

  it('goes by the majority of five', () => {
    expect(peersWith(900, 900, 900, 0).clockErrorMs(NOW_MS)).toBe(-900);
    expect(peersWith(900, 900, 0, 0).clockErrorMs(NOW_MS)).toBeCloseTo(0);
  });

  it('does not rest on peers that are silent, or on answers that took long', () => {
    expect(peersWith(900, 900).clockErrorMs(NOW_MS + PEER_FRESH_MS)).toBeCloseTo(0);
    const slow = new PeerViews();
    const echoUs = (NOW_MS - CLOCK_RTT_MS_MAX - 1) * 1_000;
    for (const peer of [2, 3]) slow.heard(peer, answer(900, { echoUs }), NOW_MS, WALL_MS);
    expect(slow.clockErrorMs(NOW_MS)).toBeCloseTo(0);
  });
});

describe('a peer', () => {
  it('is fit while it answers, is well, and its clock is near the median', () => {
    const peers = peersWith(0, 0, 800, 100);
    expect([2, 3, 4, 5].map((peer) => peers.isFit(peer, NOW_MS))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    peers.heard(2, answer(0, { isSick: true }), NOW_MS, WALL_MS);
    expect(peers.isFit(2, NOW_MS)).toBe(false);
    expect(peers.isFit(3, NOW_MS + PEER_FRESH_MS)).toBe(false);
  });

  it('is not fit by what it said before we stood still, though it comes after', () => {
    const peers = peersWith(0, 0);
    peers.askAnew(NOW_MS);
    peers.heard(2, answer(0), NOW_MS + 1, WALL_MS + 1);
    expect(peers.isFit(2, NOW_MS + 1)).toBe(false);
    peers.heard(2, answer(0, { echoUs: NOW_MS * 1_000 }), NOW_MS + 2, WALL_MS + 2);
    expect(peers.isFit(2, NOW_MS + 2)).toBe(true);
  });

  it('has another process once its epoch changes, not when it is first heard', () => {
    const peers = new PeerViews();
    expect(peers.heard(2, answer(0), NOW_MS, WALL_MS)).toBe(false);
    expect(peers.heard(2, answer(0), NOW_MS, WALL_MS)).toBe(false);
    expect(peers.heard(2, answer(0, { epoch: 2 }), NOW_MS, WALL_MS)).toBe(true);
  });
});
