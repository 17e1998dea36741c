import { histogramSvg, stripSvg } from './page-charts.ts';
import { FAULTS } from './plan.ts';
import {
  type FailoverReport,
  gapsOf,
  isOk,
  type KindSummary,
  type RoundReport,
  type Spread,
  summarize,
} from './report.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem }
table { border-collapse: collapse; margin: 1rem 0; width: 100% }
th, td { text-align: right; padding: .15rem .5rem; border-bottom: 1px solid #dde3ea; font-variant-numeric: tabular-nums }
th:first-child, td:first-child, td.text { text-align: left }
.ok { color: #1a6b3c; font-weight: 600 } .wrong { color: #b3261e; font-weight: 600 }
.quiet { color: #6b7785 } code { font-size: .85em } svg { display: block; width: 100%; height: auto }
svg text { font: 11px system-ui, sans-serif; fill: #45525f }
@media (prefers-color-scheme: dark) {
  body { color: #dbe3ea; background: #14191f } th, td { border-color: #2c3742 } svg text { fill: #a9b6c2 }
  .ok { color: #6fcf97 } .wrong { color: #ff8a80 }
}`;

/** A report as one page without anything from elsewhere. `again` is the command that repeats it. */
export function pageOf(report: FailoverReport, again: string): string {
  const { rounds, units, seed, perSecond } = report;
  const kinds = summarize(rounds);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evenkeel: what clients see when servers fail</title><style>${STYLE}</style></head><body>
<h1>What clients see when servers fail</h1>
<p>${rounds.length} rounds on three zones of real processes, ${units} units, ${perSecond} transfers a second through each
zone, seed ${seed}. Again: <code>${escaped(again)}</code></p>
${verdict(report)}
<h2>The longest time without an answer, a dot for each round</h2>
<p class="quiet">Blue: the worst client whose own zone stood. Orange: a client of the zone that was hit. Only units whose
leader was hit count. The line is the median.</p>
${stripSvg(
  kinds.map(({ kind }) => {
    const mine = bitten(rounds, kind);
    return { label: kind, others: gapsOf(mine, false), own: gapsOf(mine, true) };
  }),
)}
${kindTable(kinds)}
${kinds.map((kind) => kindSection(kind, rounds)).join('\n')}
<h2>Every round</h2>
${roundTable(rounds)}
</body></html>
`;
}

function verdict(report: FailoverReport): string {
  const { rounds, acknowledged, refused, unknownResolved, seconds } = report;
  const wrong = [...rounds.flatMap((round) => round.wrong), ...report.wrong];
  const bit = rounds.filter((round) => round.bitten).length;
  const counts = `${thousands(acknowledged)} transfers acknowledged, ${thousands(refused)} refused by the rules,
${thousands(unknownResolved)} unknown to their client and settled by asking again, in ${seconds} s.
The fault bit in ${bit} of ${rounds.length} rounds.`;
  const judged = isOk(report)
    ? '<p class="ok">None lost, none doubled, no refused one booked, debits = credits, books of all zones equal and true to their rows.</p>'
    : `<p class="wrong">This does not hold.</p><ul>${wrong.map((what) => `<li>${escaped(what)}</li>`).join('')}</ul>`;
  return `${judged}<p>${counts}</p>`;
}

function kindTable(kinds: readonly KindSummary[]): string {
  const cells = (spread: Spread | null) =>
    spread === null
      ? '<td>-</td><td>-</td><td>-</td>'
      : `<td>${spread.p50}</td><td>${spread.p99}</td><td>${spread.max}</td>`;
  const rows = kinds.map(
    ({ kind, rounds, bitten: bit, others, own, failed }) =>
      `<tr><td>${FAULTS[kind]}</td><td>${bit} of ${rounds}</td>${cells(others)}${cells(own)}<td>${failed}</td></tr>`,
  );
  return `<table><tr><th rowspan="2">fault</th><th rowspan="2">bit</th><th colspan="3">other zones, ms</th>
<th colspan="3">the zone hit, ms</th><th rowspan="2">given up</th></tr>
<tr><th>p50</th><th>p99</th><th>max</th><th>p50</th><th>p99</th><th>max</th></tr>${rows.join('')}</table>`;
}

function kindSection({ kind }: KindSummary, rounds: readonly RoundReport[]): string {
  const mine = bitten(rounds, kind);
  if (mine.length === 0) return '';
  return `<h2>${FAULTS[kind]}</h2>${histogramSvg(gapsOf(mine, false), gapsOf(mine, true))}`;
}

function roundTable(rounds: readonly RoundReport[]): string {
  const rows = rounds.map((round) => {
    const gaps = round.zones.map(({ zone, gapMs, lost }) => `${zone}${lost ? '*' : ''} ${gapMs}`);
    const bite = round.bitten ? `${round.elections} of ${round.affected}` : 'did not bite';
    return `<tr><td>${round.number}</td><td class="text">${escaped(round.text)}</td><td>${bite}</td><td>${gaps.join(', ')}</td></tr>`;
  });
  return `<table><tr><th>round</th><th>fault</th><th>units elected</th><th>gaps, ms (* hit)</th></tr>${rows.join('')}</table>`;
}

function bitten(rounds: readonly RoundReport[], kind: string): RoundReport[] {
  return rounds.filter((round) => round.kind === kind && round.bitten);
}

function thousands(value: number): string {
  return value.toLocaleString('en-US');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
