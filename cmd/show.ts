import type { Balances, Ledger } from '../client/index.ts';
import { formatMoney } from './bank/money.ts';
import { formatId } from './parse.ts';

/** One line. Ids as the command line takes them; whatever may outgrow a JSON number is a string, however small. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (typeof item !== 'bigint') return item;
    return key === 'id' || key.endsWith('Id') ? formatId(item) : item.toString();
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

/** What of an account's balances is only reserved, if anything is. */
export function pendingTexts(
  { debitsPending, creditsPending }: Balances,
  amount: (minor: bigint) => string,
): string[] {
  return [
    ...(debitsPending > 0n ? [`${amount(debitsPending)} of debits pending`] : []),
    ...(creditsPending > 0n ? [`${amount(creditsPending)} of credits pending`] : []),
  ];
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

/** To the nanosecond: the transfers of a batch share their millisecond, and what is printed can be asked for. */
export function timeText(timestampNs: bigint): string {
  const second = new Date(Number(timestampNs / 1_000_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${second}.${(timestampNs % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}
