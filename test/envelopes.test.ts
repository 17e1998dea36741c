import { expect, it } from 'vitest';
import type { ServerId } from '../consensus/types.ts';
import { BEAT_NUMBERS, type PeerMessage } from '../server/core/messages.ts';
import { encodeFrame } from '../server/node/peers/codec.ts';
import { World } from '../sim/world.ts';

const UNITS = 256;
const SECOND_US = 1_000_000;

interface Sent {
  readonly timeUs: number;
  readonly from: ServerId;
  readonly to: ServerId;
  readonly frame: readonly PeerMessage[];
}

/** What three servers of 256 units say to each other in one second in which nothing is asked of them. */
function idleSecond(): Sent[] {
  const world = new World({ seed: 1, units: UNITS });
  const { network, scheduler } = world;
  const sent: Sent[] = [];
  const send = network.send.bind(network);
  network.send = (from, to, lane, frame) => {
    sent.push({ timeUs: scheduler.nowUs, from, to, frame });
    send(from, to, lane, frame);
  };
  world.start();
  // Led by now, and not yet old enough for leaders to go home.
  scheduler.run(2 * SECOND_US);
  sent.length = 0;
  scheduler.run(3 * SECOND_US);
  return sent;
}

const SENT = idleSecond();

it('idle groups say nothing but what one envelope a pair and heartbeat holds, and its answer', () => {
  const sent = SENT;
  const messages = sent.flatMap(({ frame }) => frame);
  expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(['envelope']));
  for (const [from, to] of [
    [1, 2],
    [2, 3],
    [3, 1],
  ]) {
    const asked = sent.filter((one) => one.from === from && one.to === to && wantsAnswer(one));
    expect(asked).toHaveLength(20);
    const answers = sent.filter((one) => one.from === to && one.to === from && echoes(one));
    expect(answers.length).toBeGreaterThanOrEqual(19);
  }
});

it('a server sends its envelopes to all peers in the same turn, whether it leads anything or not', () => {
  const sent = SENT.filter(wantsAnswer);
  for (const server of [1, 2, 3]) {
    const mine = sent.filter(({ from }) => from === server);
    const times = new Set(mine.map(({ timeUs }) => timeUs));
    expect(times.size).toBe(20);
    expect(mine).toHaveLength(40);
  }
});

it('all 257 groups beat in those envelopes, each 20 times a second, in less than 6 kB a time', () => {
  const envelopes = SENT.flatMap(({ frame }) => frame).filter(
    (message) => message.type === 'envelope',
  );
  const beats = envelopes.reduce((sum, { beats }) => sum + beats.length / BEAT_NUMBERS, 0);
  expect(beats).toBe(2 * 20 * (UNITS + 1));
  for (const envelope of envelopes) expect(encodeFrame([envelope]).length).toBeLessThan(6_000);
});

function wantsAnswer({ frame }: Sent): boolean {
  return frame.some((message) => message.type === 'envelope' && message.sentUs > 0);
}

function echoes({ frame }: Sent): boolean {
  return frame.some((message) => message.type === 'envelope' && message.echoUs > 0);
}
