// Numbers by day as stacked bars: an SVG drawn on the server, with the same numbers as a table under it. No script, no
// style attribute (the policy forbids them), colours from the stylesheet. The bars stretch to the width there is; the
// labels are text beside them, so that they stay readable on a phone. WCAG 2.2 1.1.1, 1.4.1, 1.4.4, 1.4.11.

/** Units of the drawing: its height, and the width of a day. */
const HEIGHT = 100;
const STEP = 10;
/** Colours are there for this many. */
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
      <div class="plot">
        <Ticks labels={[most, most / 2, 0].map((value) => NUMBER.format(value))} />
        <svg
          viewBox={`0 0 ${days.length * STEP} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={summary}
        >
          <path
            class="scale"
            d={`M0 0H${days.length * STEP}M0 50H${days.length * STEP}M0 100H${days.length * STEP}`}
          />
          {series.map((_, at) => (
            <path class={`series-${at}`} d={barsOf(series, at, days.length, most)} />
          ))}
        </svg>
        <Ticks labels={marked(days).map(dayInWords)} />
      </div>
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

/** The labels of an axis, from end to end. Screen readers have the summary and the table. */
function Ticks({ labels }: { labels: readonly string[] }) {
  return (
    <div class="ticks" aria-hidden="true">
      {labels.map((label) => (
        <span>{label}</span>
      ))}
    </div>
  );
}

/** All bars of one series as one path, each on top of the series before it. */
function barsOf(series: ChartView["series"], which: number, days: number, most: number): string {
  return Array.from({ length: days }, (_, day) => {
    const value = series[which]?.values[day] ?? 0;
    if (value === 0) return "";
    const below = sum(series.slice(0, which).map(({ values }) => values[day] ?? 0));
    return `M${day * STEP + 1} ${yOf(below, most)}h${STEP - 2}V${yOf(below + value, most)}h-${STEP - 2}z`;
  }).join("");
}

/** The first, the middle and the last day, which fit at any width. */
function marked(days: readonly string[]): readonly (string | undefined)[] {
  const last = days.length - 1;
  return [...new Set([0, Math.floor(last / 2), last])].map((at) => days[at]);
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
  return Math.round((1 - value / most) * HEIGHT * 10) / 10;
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
