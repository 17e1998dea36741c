import type { Command } from './oracle.ts';
import type { TableLine } from './table.ts';
import {
  accountEvent,
  changeAccount,
  changeTransfer,
  type Names,
  transferEvent,
} from './table-events.ts';

export interface Probe {
  readonly line: number;
  readonly what: string;
  readonly command: Command & { kind: 'accounts' | 'transfers' };
  readonly expected: string;
}

/**
 * A ladder is an event and, by descending precedence, what makes it fail with which status. Each rung is
 * tried alone, with every later rung, and with all later ones: it gives its own status each time. Where
 * two rungs set one field, or flags, the earlier has its way.
 */
export function* probesOf(
  head: TableLine,
  rungs: readonly TableLine[],
  names: Names,
): Generator<Probe> {
  const imported = head.words[1] === 'imported';
  const event = { ...head, words: head.words.slice(imported ? 2 : 1) };
  for (const [i, rung] of rungs.entries()) {
    const later = rungs.slice(i + 1);
    const mixes: [string, readonly TableLine[]][] = [
      ['alone', []],
      ...later.map((other): [string, TableLine[]] => [`with line ${other.number}`, [other]]),
      ['with all later ones', later],
    ];
    for (const [what, others] of mixes) {
      const command = commandOf(event, [rung, ...others], imported, names);
      yield { line: rung.number, what, command, expected: rung.expected! };
    }
  }
}

function commandOf(
  line: TableLine,
  rungs: readonly TableLine[],
  imported: boolean,
  names: Names,
): Probe['command'] {
  const changes = rungs.toReversed();
  if (line.words[0] === 'account') {
    const event = changes.reduce(
      (event, { words, fields }) => changeAccount(event, words, fields, names),
      accountEvent(line, names),
    );
    return { kind: 'accounts', events: [event], balances: false, imported };
  }
  const event = changes.reduce(
    (event, { words, fields }) => changeTransfer(event, words, fields, names),
    transferEvent(line, names),
  );
  return { kind: 'transfers', events: [event], balances: true, imported };
}
