import { histogram, quantile } from './gaps.ts';

const BLUE = '#2f6fb5';
const ORANGE = '#d9822b';
const GRID = '#8896a4';
const WIDTH = 900;

/** Gaps of both kinds of clients, by fault. */
export interface Strip {
  readonly label: string;
  readonly others: readonly number[];
  readonly own: readonly number[];
}

const LABEL_WIDTH = 130;
const ROW_HEIGHT = 34;
const AXIS_MS = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000];

/** A row a fault, a dot a round, on a logarithmic axis. */
export function stripSvg(strips: readonly Strip[]): string {
  const height = strips.length * ROW_HEIGHT + 24;
  const bottom = height - 20;
  const grid = AXIS_MS.map((ms) => {
    const x = xOf(ms);
    return `<line x1="${x}" x2="${x}" y1="0" y2="${bottom}" stroke="${GRID}" stroke-opacity=".3"/><text x="${x}" y="${height - 4}" text-anchor="middle">${msText(ms)}</text>`;
  });
  const rows = strips.map(({ label, others, own }, i) => {
    const y = i * ROW_HEIGHT;
    return `<text x="0" y="${y + 20}">${label}</text>${dots(others, y + 11, BLUE)}${dots(own, y + 23, ORANGE)}`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${grid.join('')}${rows.join('')}</svg>`;
}

function dots(gaps: readonly number[], y: number, color: string): string {
  const median = quantile(gaps, 0.5);
  if (median === null) return '';
  const circles = gaps.map(
    (gap) => `<circle cx="${xOf(gap)}" cy="${y}" r="3.5" fill="${color}" fill-opacity=".45"/>`,
  );
  const x = xOf(median);
  return `${circles.join('')}<line x1="${x}" x2="${x}" y1="${y - 6}" y2="${y + 6}" stroke="${color}" stroke-width="2"/>`;
}

function xOf(ms: number): number {
  const low = Math.log(AXIS_MS[0]!);
  const high = Math.log(AXIS_MS.at(-1)!);
  const share = (Math.log(Math.max(ms, AXIS_MS[0]!)) - low) / (high - low);
  return Math.round(LABEL_WIDTH + 10 + Math.min(1, share) * (WIDTH - LABEL_WIDTH - 40));
}

const BARS_HEIGHT = 120;

/** How many rounds fell into each class of gaps, both kinds of clients side by side. */
export function histogramSvg(others: readonly number[], own: readonly number[]): string {
  const series = [histogram(others), histogram(own)] as const;
  const most = Math.max(1, ...series.flat().map(({ count }) => count));
  const step = WIDTH / series[0].length;
  const bars = series[0].map(({ label }, i) => {
    const pair = series.map((classes, which) => {
      const { count } = classes[i]!;
      if (count === 0) return '';
      const height = Math.round((count / most) * (BARS_HEIGHT - 16));
      const x = i * step + 6 + which * (step / 2 - 6);
      const y = BARS_HEIGHT - height;
      return `<rect x="${x}" y="${y}" width="${step / 2 - 8}" height="${height}" fill="${which === 0 ? BLUE : ORANGE}"/><text x="${x + step / 4 - 4}" y="${y - 3}" text-anchor="middle">${count}</text>`;
    });
    return `${pair.join('')}<text x="${i * step + step / 2}" y="${BARS_HEIGHT + 14}" text-anchor="middle">${label.replace('<', '&lt;').replace('>', '&gt;')}</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${BARS_HEIGHT + 18}" role="img"><line x1="0" x2="${WIDTH}" y1="${BARS_HEIGHT}" y2="${BARS_HEIGHT}" stroke="${GRID}"/>${bars.join('')}</svg>`;
}

function msText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
