/** A currency, or another quantity by its name: `numeric` is the ledger that holds it, `scale` its decimals. */
export interface Currency {
  readonly code: string;
  readonly numeric: number;
  readonly scale: number;
}

export const CZK: Currency = { code: 'CZK', numeric: 203, scale: 2 };

/** `3929676280n` haler as '39,296,762.80 CZK'. */
export function formatMoney(minor: bigint, currency: Currency): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(currency.scale + 1, '0');
  const whole = digits.slice(0, digits.length - currency.scale);
  const fraction = digits.slice(digits.length - currency.scale);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const point = currency.scale === 0 ? '' : '.';
  return `${minor < 0n ? '-' : ''}${grouped}${point}${fraction} ${currency.code}`;
}

/**
 * The reverse of `formatMoney`, in minor units. Grouping commas and the currency's code may be left
 * out, and so may trailing decimals; never is anything rounded or another currency taken.
 */
export function parseMoney(text: string, currency: Currency): bigint {
  const refuse = (expected: string) => {
    const example = formatMoney(123_456_789n, currency);
    return new RangeError(
      `not an amount of money: ${JSON.stringify(text)}: expected ${expected}, as in '${example}'`,
    );
  };
  // Names may hold digits and spaces: what ends in the ledger's own name after a space is that name.
  const named = ` ${currency.code}`;
  const trimmed = text.trim();
  const bare = trimmed.endsWith(named) ? trimmed.slice(0, -named.length) : trimmed;
  const parts = /^(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?(?: ?([A-Za-z]+))?$/.exec(bare);
  if (parts === null) throw refuse('digits, grouped by three or not at all');
  const [, sign, whole = '', fraction = '', code = currency.code] = parts;
  if (code !== currency.code) throw refuse(`the currency ${currency.code}`);
  if (fraction.length > currency.scale) {
    throw refuse(currency.scale === 0 ? 'no decimals' : `at most ${currency.scale} decimals`);
  }
  const minor = BigInt(whole.replaceAll(',', '') + fraction.padEnd(currency.scale, '0'));
  return sign === '-' ? -minor : minor;
}
