import type { Command } from './oracle.ts';
import { accountOf, transferOf } from './records.ts';
import { shown } from './same.ts';

/** A command for whoever looks at a failing run: of each event what is not as in most. */
export function described(command: Command): string {
  if (command.kind !== 'accounts' && command.kind !== 'transfers') return shown(command);
  const usual: object = command.kind === 'accounts' ? accountOf({}) : transferOf({ amount: 0n });
  const isUsual = new Map<string, unknown>(Object.entries(usual));
  const events = command.events.map((event) =>
    Object.fromEntries(Object.entries(event).filter(([key, value]) => isUsual.get(key) !== value)),
  );
  return `${command.kind} imported=${command.imported}\n  ${events.map(shown).join('\n  ')}`;
}
