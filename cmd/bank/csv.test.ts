import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BookError, COLUMNS } from './book.ts';
import { parseBook, readBook } from './csv.ts';
import { generateBook } from './generate.ts';

const HEADER = `${COLUMNS.join(',')}\n`;
const ROW = '171812,1993-01-01,576,credit,cash-deposit,,90000,90000,,\n';
const OTHER = '527534,1993-07-12,576,debit,transfer-out,loan-payment,461000,-371000,OP,33671474\n';

const parse = (text: string | Buffer) => parseBook('book.csv', Buffer.from(text));

function faultOf(run: () => unknown): BookError {
  try {
    run();
  } catch (error) {
    if (error instanceof BookError) return error;
    throw error;
  }
  throw new Error('expected a BookError');
}

/** ROW as line 3 behind a good row, with one of its fields changed. */
function withField(column: (typeof COLUMNS)[number], value: string): string {
  const fields = ROW.trimEnd().split(',');
  fields[COLUMNS.indexOf(column)] = value;
  return `${HEADER}${OTHER}${fields.join(',')}\n`;
}

describe('a book in its form', () => {
  const typed = [
    {
      line: 2,
      transactionId: 171812,
      date: '1993-01-01',
      accountId: 576,
      side: 'credit',
      operation: 'cash-deposit',
      purpose: '',
      amount: 90_000,
      recordedBalance: 90_000,
      partnerBank: '',
      partnerAccount: '',
    },
    {
      line: 3,
      transactionId: 527534,
      date: '1993-07-12',
      accountId: 576,
      side: 'debit',
      operation: 'transfer-out',
      purpose: 'loan-payment',
      amount: 461_000,
      recordedBalance: -371_000,
      partnerBank: 'OP',
      partnerAccount: '33671474',
    },
  ];

  test('is read into typed rows that know their line', () => {
    expect(parse(HEADER + ROW + OTHER)).toEqual({ path: 'book.csv', rows: typed });
  });

  test('may end its lines with CR LF', () => {
    expect(parse((HEADER + ROW + OTHER).replaceAll('\n', '\r\n')).rows).toEqual(typed);
  });

  test('may hold February 29 of a leap year, an amount of 0 and the largest safe integer', () => {
    expect(parse(withField('date', '1996-02-29')).rows).toHaveLength(2);
    expect(parse(withField('date', '2000-02-29')).rows).toHaveLength(2);
    expect(parse(withField('amount_haler', '0')).rows[1]?.amount).toBe(0);
    expect(parse(withField('amount_haler', '9007199254740991')).rows[1]?.amount).toBe(2 ** 53 - 1);
  });
});

describe('a faulty field is refused with its line and column', () => {
  test.each([
    ['transaction_id', '', 'a whole number, 1 or more'],
    ['transaction_id', '0', 'a whole number, 1 or more'],
    ['transaction_id', '527534', 'an id used once, not on line 2 too'],
    ['transaction_id', '007', 'a whole number, 1 or more'],
    ['date', '', 'a day as YYYY-MM-DD'],
    ['date', '930101', 'a day as YYYY-MM-DD'],
    ['date', '1993-02-29', 'a day as YYYY-MM-DD'],
    ['date', '1900-02-29', 'a day as YYYY-MM-DD'],
    ['date', '1993-04-31', 'a day as YYYY-MM-DD'],
    ['date', '1993-11-31', 'a day as YYYY-MM-DD'],
    ['date', '1993-01-32', 'a day as YYYY-MM-DD'],
    ['date', '1993-13-01', 'a day as YYYY-MM-DD'],
    ['date', '1993-00-01', 'a day as YYYY-MM-DD'],
    ['date', '1993-01-00', 'a day as YYYY-MM-DD'],
    ['date', '0000-01-01', 'a day as YYYY-MM-DD'],
    ['account_id', 'x', 'a whole number, 1 or more'],
    ['account_id', '-576', 'a whole number, 1 or more'],
    ['side', 'Credit', 'one of credit, debit'],
    ['side', '', 'one of credit, debit'],
    ['operation', 'cash', 'one of cash-deposit, cash-withdrawal, card-withdrawal'],
    ['purpose', 'rent', 'one of interest-credited, statement-fee, household'],
    ['amount_haler', '-1', 'a whole number, 0 or more'],
    ['amount_haler', '1.5', 'a whole number, 0 or more'],
    ['amount_haler', '1e3', 'a whole number, 0 or more'],
    ['amount_haler', ' 1', 'a whole number, 0 or more'],
    ['amount_haler', '12a', 'a whole number, 0 or more'],
    ['amount_haler', '', 'a whole number, 0 or more'],
    ['amount_haler', '9007199254740993', 'a whole number below 2^53'],
    ['recorded_balance_haler', '', 'a whole number'],
    ['recorded_balance_haler', '-0', 'a whole number'],
    ['recorded_balance_haler', '--1', 'a whole number'],
    ['recorded_balance_haler', '-9007199254740993', 'a whole number below 2^53'],
    ['partner_bank', 'op', 'two capital letters or nothing'],
    ['partner_bank', 'ABC', 'two capital letters or nothing'],
    ['partner_account', '12-34', 'up to 20 digits or nothing'],
    ['partner_account', '1'.repeat(21), 'up to 20 digits or nothing'],
  ] as const)('%s %j', (column, value, expected) => {
    const fault = faultOf(() => parse(withField(column, value)));
    expect(fault).toMatchObject({ path: 'book.csv', line: 3, column });
    expect(fault.message).toContain(`book.csv:3: column ${column}: expected ${expected}`);
    expect(fault.message).toContain(`got ${JSON.stringify(value)}`);
  });

  test('a long value is cut, and a control character escaped', () => {
    const { message } = faultOf(() => parse(withField('side', `\u0007${'x'.repeat(300)}`)));
    expect(message).toContain('"\\u0007xxx');
    expect(message.length).toBeLessThan(160);
  });
});

describe('a faulty line is refused', () => {
  test.each([
    ['a missing field', `${HEADER}${ROW}1,1993-01-01,5,credit,,,1,1,\n`, 3, 'partner_account'],
    ['an extra field', `${HEADER}${ROW.trimEnd()},\n`, 2, 'partner_account'],
    ['an empty line', `${HEADER}${ROW}\n`, 3, 'date'],
    [
      'a carriage return inside a line',
      `${HEADER}${ROW.replace(',credit', '\r,credit')}`,
      2,
      'account_id',
    ],
  ] as const)('%s', (_, text, line, column) => {
    expect(faultOf(() => parse(text))).toMatchObject({ line, column });
  });

  test('a file that ends inside a line says so', () => {
    const { message } = faultOf(() => parse(HEADER + ROW + OTHER.slice(0, 30)));
    expect(message).toBe(
      'book.csv:3: column purpose: expected 10 fields, got 5: the file ends inside this line',
    );
  });

  test('a last line without its end, though all its fields are there: the last may be cut', () => {
    const { message } = faultOf(() => parse((HEADER + ROW + OTHER).trimEnd()));
    expect(message).toBe('book.csv:3: expected a line end: the file may end inside this line');
  });

  test.each([
    ['whole', '"576"'],
    ['half', '57"6'],
  ])('a %s quote, with its line and column: the form has none', (_, value) => {
    const { message } = faultOf(() => parse(withField('account_id', value)));
    expect(message).toBe('book.csv:3: column account_id: expected no quotes: this form has none');
  });

  test('a line without an end in sight', () => {
    const { message } = faultOf(() => parse(HEADER + ROW + '1'.repeat(1_001)));
    expect(message).toBe('book.csv:3: expected at most 1000 bytes a line, got 1001');
  });

  test('bytes that are not UTF-8, with their line and column', () => {
    const bytes = Buffer.from(HEADER + OTHER + ROW);
    bytes[HEADER.length + OTHER.length + ROW.indexOf('deposit')] = 0xe9;
    expect(faultOf(() => parse(bytes)).message).toBe(
      'book.csv:3: column operation: expected UTF-8 text',
    );
    const last = Buffer.concat([Buffer.from(HEADER + ROW.trimEnd()), Buffer.of(0xff)]);
    expect(faultOf(() => parse(last))).toMatchObject({ line: 2, column: 'partner_account' });
  });

  test('text that is UTF-8 but no known word', () => {
    const { message } = faultOf(() => parse(withField('purpose', 'důchod')));
    expect(message).toContain('book.csv:3: column purpose: expected one of');
  });
});

describe('a faulty header is refused', () => {
  test.each([
    ['another name', HEADER.replace('side', 'type'), 'side', 'got "type" here'],
    ['a missing column', HEADER.replace(',partner_account', ''), 'partner_account', 'got the end'],
    ['another order', HEADER.replace('date,account_id', 'account_id,date'), 'date', '"account_id"'],
    ['no header but a row', ROW, 'transaction_id', 'got "171812" here'],
    ['an empty line first', `\n${HEADER}`, 'transaction_id', 'got "" here'],
    ['a byte order mark', `\ufeff${HEADER}`, 'transaction_id', 'transaction_id" here'],
  ] as const)('%s', (_, header, column, got) => {
    const fault = faultOf(() => parse(header + ROW));
    expect(fault).toMatchObject({ line: 1, column });
    expect(fault.message).toContain(`expected the header ${HEADER.trimEnd()}, got`);
    expect(fault.message).toContain(got);
  });

  test('an extra column', () => {
    expect(faultOf(() => parse(`${HEADER.trimEnd()},memo\n${ROW}`)).message).toContain(
      'got 11 columns',
    );
  });

  test('nothing at all, or nothing behind the header', () => {
    expect(faultOf(() => parse('')).message).toContain('book.csv: is empty: expected the header');
    expect(faultOf(() => parse(HEADER)).message).toBe(
      'book.csv:2: expected a row after the header',
    );
  });
});

describe('a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-book-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, bytes: string | Buffer): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  test('is read plain or gzipped, whatever its name says of a gzipped one', () => {
    const { rows } = parse(HEADER + ROW + OTHER);
    expect(readBook(file('a.csv', HEADER + ROW + OTHER)).rows).toEqual(rows);
    expect(readBook(file('a.csv.gz', gzipSync(HEADER + ROW + OTHER))).rows).toEqual(rows);
    expect(readBook(file('zipped.csv', gzipSync(HEADER + ROW + OTHER))).rows).toEqual(rows);
  });

  test('that does not exist is a BookError with its path', () => {
    const path = join(folder, 'none.csv');
    expect(faultOf(() => readBook(path)).message).toContain(`${path}: cannot be read: ENOENT`);
  });

  test('that is empty is refused, gzipped or not', () => {
    for (const [name, bytes] of [
      ['empty.csv', ''],
      ['empty.csv.gz', ''],
      ['nothing.csv.gz', gzipSync('')],
    ] as const) {
      expect(faultOf(() => readBook(file(name, bytes))).message).toContain('is empty');
    }
  });

  test('whose gzip data is cut short anywhere is refused with the line where it ends', () => {
    const text = [...generateBook({ seed: 1, rows: 400, accounts: 9 })].join('');
    const zipped = gzipSync(text);
    for (let length = 1; length < zipped.length; length += 97) {
      const fault = faultOf(() => readBook(file('cut.csv.gz', zipped.subarray(0, length))));
      expect(fault.message).toContain('expected more gzip data: the file is cut short');
      expect(fault.line).toBeLessThanOrEqual(402);
    }
    const tail = faultOf(() => readBook(file('cut.csv.gz', zipped.subarray(0, -1))));
    expect(tail.line).toBe(402);
  });

  test('whose gzip data is corrupt, or is no gzip data, is refused', () => {
    const zipped = gzipSync(HEADER + ROW + OTHER);
    const rotten = Buffer.from(zipped);
    rotten[zipped.length - 6]! ^= 1;
    for (const bytes of [rotten, Buffer.concat([zipped, Buffer.from('tail')]), Buffer.from(ROW)]) {
      const { message } = faultOf(() => readBook(file('rotten.csv.gz', bytes)));
      expect(message).toContain('rotten.csv.gz: expected gzip data, but it is corrupt or not gzip');
    }
  });

  test('of 100,000 rows is read whole', () => {
    const bytes = Buffer.from([...generateBook({ seed: 1, rows: 100_000 })].join(''));
    expect(parseBook('big.csv', bytes).rows).toHaveLength(100_000);
  });
});
