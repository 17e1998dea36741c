import type { Ledger } from '../client/index.ts';
import { formatMoney } from './bank/money.ts';
import { formatId } from './parse.ts';

/** One line. Ids are strings as the command line takes them; whole numbers that JSON can't hold too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (typeof item !== 'bigint') return item;
    if (key === 'id' || key.endsWith('Id')) return formatId(item);
    const number = Number(item);
    return Number.isSafeInteger(number) ? number : item.toString();
  });
}

/** In the ledger's currency; bare minor units if the ledger is not known. */
export function amountText(
  { ledgers }: { readonly ledgers: readonly Ledger[] },
  ledger: number,
  minor: bigint,
): string {
  const known = ledgers.find(({ number }) => number === ledger);
  if (known === undefined) return `${minor}`;
  return formatMoney(minor, { code: known.currency, numeric: ledger, scale: known.scale });
}

/** Left-aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function timeText(timestampNs: bigint): string {
  return new Date(Number(timestampNs / 1_000_000n)).toISOString();
}
