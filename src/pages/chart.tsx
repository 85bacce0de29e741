// Numbers by day as stacked bars: an SVG drawn on the server, with the same numbers as a table under it. No script, no
// style attribute (the policy forbids them), colours from the stylesheet. WCAG 2.2 1.1.1, 1.4.1, 1.4.11.

const WIDTH = 720;
const HEIGHT = 200;
const BASE = 22;
const TOP = 18;
/** Room for the numbers of the scale. */
const LEFT = 64;
/** Colours and patterns are there for this many. */
const MOST_SERIES = 4;

export interface ChartView {
  /** A unique id on the page. */
  readonly id: string;
  readonly title: string;
  /** `YYYY-MM-DD`, the oldest first, without gaps. */
  readonly days: readonly string[];
  /** At most four; `values` has one number, 0 or more, for each day. */
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** What to say when every number is 0. */
  readonly empty: string;
}

const NUMBER = new Intl.NumberFormat("en-GB");
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** Renders the chart with its legend and table, or `empty`. */
export function Chart({ id, title, days, series: all, empty }: ChartView) {
  const series = all.slice(0, MOST_SERIES);
  const totals = days.map((_, at) => sum(series.map(({ values }) => values[at] ?? 0)));
  const highest = Math.max(0, ...totals);
  if (highest === 0) return <p class="soft">{empty}</p>;
  const most = roundUp(highest);
  const summary = `${title}: ${NUMBER.format(sum(totals))} from ${dayInWords(days.at(0))} to ${dayInWords(days.at(-1))}, ${NUMBER.format(highest)} on the busiest day.`;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
        <Scale most={most} />
        {series.map((_, at) => (
          <path class={`series-${at}`} d={barsOf(series, at, days.length, most)} />
        ))}
        <Dates days={days} />
      </svg>
      <figcaption class="row small">
        {series.map(({ name }, at) => (
          <span class="row">
            <svg class="swatch" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" class={`series-${at}`} />
            </svg>
            {`${name}: ${NUMBER.format(sum(series[at]?.values ?? []))}`}
          </span>
        ))}
      </figcaption>
      <Numbers id={id} title={title} days={days} series={series} />
    </figure>
  );
}

function Scale({ most }: { most: number }) {
  return (
    <>
      {[0, most / 2, most].map((value) => (
        <>
          <line class="scale" x1={LEFT} x2={WIDTH} y1={yOf(value, most)} y2={yOf(value, most)} />
          <text class="tick" x={LEFT - 8} y={yOf(value, most) + 4} text-anchor="end">
            {NUMBER.format(value)}
          </text>
        </>
      ))}
    </>
  );
}

/** All bars of one series as one path, each on top of the series before it. */
function barsOf(series: ChartView["series"], which: number, days: number, most: number): string {
  const step = (WIDTH - LEFT) / days;
  const width = round(step * 0.76);
  return Array.from({ length: days }, (_, day) => {
    const value = series[which]?.values[day] ?? 0;
    if (value === 0) return "";
    const below = sum(series.slice(0, which).map(({ values }) => values[day] ?? 0));
    const x = round(LEFT + (day + 0.12) * step);
    return `M${x} ${yOf(below, most)}h${width}V${yOf(below + value, most)}h-${width}z`;
  }).join("");
}

/** The first, the middle and the last day, which fit at any width. */
function Dates({ days }: { days: readonly string[] }) {
  const last = days.length - 1;
  const step = (WIDTH - LEFT) / days.length;
  const marks = [...new Set([0, Math.floor(last / 2), last])];
  return (
    <>
      {marks.map((at) => (
        <text
          class="tick"
          x={round(LEFT + (at + 0.5) * step)}
          y={HEIGHT - 4}
          text-anchor={at === 0 ? "start" : at === last ? "end" : "middle"}
        >
          {dayInWords(days[at])}
        </text>
      ))}
    </>
  );
}

function Numbers({ id, title, days, series }: Omit<ChartView, "empty">) {
  return (
    <details>
      <summary class="small link">The same as a table</summary>
      <div class="scroll" tabindex={0} role="region" aria-labelledby={`${id}-table`}>
        <table class="numbers">
          <caption id={`${id}-table`}>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              {series.map(({ name }) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map((day, at) => (
              <tr>
                <th scope="row">{day}</th>
                {series.map(({ values }) => (
                  <td>{NUMBER.format(values[at] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function yOf(value: number, most: number): number {
  return round(HEIGHT - BASE - (value / most) * (HEIGHT - BASE - TOP));
}

/** The next of 2, 4, 10, 20, 40, 100 …, so that half of it is a whole number too. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 10, 20].map((factor) => factor * power).find((most) => most >= value) ?? value;
}

function dayInWords(day: string | undefined): string {
  const milliseconds = Date.parse(`${day ?? ""}T00:00:00Z`);
  return Number.isNaN(milliseconds) ? "" : DAY.format(milliseconds);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const round = (value: number): number => Math.round(value * 10) / 10;
