import { expect, it } from 'vitest';
import { Channels, finishedThrough } from './channels.ts';
import { CHANNEL_ROW_WORDS, ChannelRowWord, OPEN_ROW_WORDS, OpenRowWord } from './layout.ts';

const FAR_UNIT = 2;

it.each([1, 40])(
  'counts what was finished out of order before a restart, once all before it is too (%i sequences)',
  (later) => {
    const last = 1 + later;
    const channel = new Uint32Array(CHANNEL_ROW_WORDS);
    channel[ChannelRowWord.otherUnit] = FAR_UNIT;
    channel[ChannelRowWord.lastSequence] = last;
    const open = new Uint32Array(OPEN_ROW_WORDS);
    open[OpenRowWord.farUnit] = FAR_UNIT;
    open[OpenRowWord.sequence] = 1;
    const channels = new Channels();
    channels.load(channel, open, new Uint32Array(0));
    const place = channels.loadOpen(open, 0);
    const loaded = channels.get(FAR_UNIT);
    expect(finishedThrough(loaded)).toBe(0);
    channels.close(loaded, 1, place);
    expect(finishedThrough(loaded)).toBe(last);
  },
);
