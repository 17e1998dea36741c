/** What a demo has shown; the `--json` line holds exactly this. */
export interface DemoReport {
  readonly rows: number;
  /** Rows after which the ledger's balance was the recorded one. */
  readonly balances_exact: number;
  /** Largest difference to a recorded balance, minor units. */
  readonly balance_off_max: number;
  readonly acknowledged: number;
  /** Acknowledged transfers that a zone's books don't hold. */
  readonly acknowledged_lost: number;
  /** Transfers that stand more than once in a zone's books. */
  readonly duplicates: number;
  readonly zones_equal: boolean;
  /** null where the window is shorter than 5 s. */
  readonly transfers_per_second: {
    readonly before: number | null;
    readonly during: number | null;
    readonly after: number | null;
  };
  readonly longest_gap_ms: number;
  readonly ok: boolean;
}

export interface Expectation {
  /** By plain addition of the book itself. */
  readonly balancesExact: number;
  readonly balanceOffMax: number;
}

/** The report's lines for people. */
export function reportText(
  report: DemoReport,
  expected: Expectation,
  debitsEqualCredits: boolean,
): string {
  const { rows, transfers_per_second: rate } = report;
  const line = (ok: boolean, text: string) => `  ${ok ? 'ok   ' : 'WRONG'} ${text}`;
  const perSecond = (value: number | null) =>
    value === null ? 'window under 5 s' : `${Math.round(value).toLocaleString('en-US')}/s`;
  const exact = report.balances_exact.toLocaleString('en-US');
  const asRecorded =
    report.balances_exact === expected.balancesExact &&
    report.balance_off_max === expected.balanceOffMax;
  return [
    line(report.acknowledged === rows, `${rows.toLocaleString('en-US')} rows booked`),
    line(
      asRecorded,
      `${exact} balances equal to the bank's record, none more than ${report.balance_off_max} minor units off`,
    ),
    ...(expected.balancesExact < rows
      ? [`        (the record itself is rounded: plain addition agrees with it as often)`]
      : []),
    line(debitsEqualCredits, 'debits = credits, in every unit of every zone and between the units'),
    line(report.acknowledged_lost === 0, `${report.acknowledged_lost} acknowledged transfers lost`),
    line(report.duplicates === 0, `${report.duplicates} booked twice`),
    line(report.zones_equal, 'the books of all zones are equal'),
    `        transfers: before the loss ${perSecond(rate.before)}, during ${perSecond(rate.during)}, after ${perSecond(rate.after)}`,
    `        longest time without an answer: ${report.longest_gap_ms} ms`,
  ].join('\n');
}
