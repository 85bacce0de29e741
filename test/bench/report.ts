// The bench's table: every figure beside its ratio to the passthrough measured in the same round. Called by run.ts.

import { median, type Measurement } from "./measure.ts";

/** One target measured once. */
export interface Row {
  readonly target: string;
  readonly round: number;
  readonly measurement: Measurement;
}

type Figure = Exclude<keyof Measurement, "foreignCores">;

const COLUMNS: readonly { readonly figure: Figure; readonly title: string; readonly digits: number }[] = [
  { figure: "requestsPerSecond", title: "requests/s", digits: 0 },
  { figure: "p50Ms", title: "p50 ms", digits: 2 },
  { figure: "p99Ms", title: "p99 ms", digits: 1 },
  { figure: "cpuMicroseconds", title: "CPU µs/request", digits: 0 },
  { figure: "firstEventMs", title: "first SSE event ms", digits: 2 },
];

/**
 * Renders medians over the rounds as a Markdown table. The ratio in parentheses is the median of the rounds' own ratios
 * to `base`, which cancels what slowed the machine down for a while.
 */
export function renderTable(rows: readonly Row[], base: string): string {
  const names = [...new Set(rows.map((row) => row.target))];
  const lines = names.map((name) => [name, ...COLUMNS.map((column) => cell(rows, name, base, column))]);
  return markdownTable(["", ...COLUMNS.map((column) => column.title)], lines);
}

/** The CPU time of a request that the passthrough does not take, of the gateway and of the library. */
export function renderOverhead(rows: readonly Row[], base: string, own: string, peer: string): string {
  const [ours, theirs] = [own, peer].map((name) => {
    const more = rows.flatMap((row) => {
      const floor = rows.find((other) => other.target === base && other.round === row.round);
      const { cpuMicroseconds } = row.measurement;
      return row.target !== name || floor === undefined
        ? []
        : [cpuMicroseconds - floor.measurement.cpuMicroseconds];
    });
    return median(more);
  });
  if (ours === undefined || theirs === undefined) throw new Error("Nothing was measured");
  return `CPU beyond the passthrough's: ${own} ${ours.toFixed(0)} µs, ${peer} ${theirs.toFixed(0)} µs a request (${(theirs / ours).toFixed(1)}×).`;
}

/** A table whose first column is text and whose others are figures. */
export function markdownTable(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = header.map((title, at) =>
    Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)),
  );
  const render = (cells: readonly string[]): string =>
    `| ${cells.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [render(header), rule, ...lines.map(render)].join("\n");
}

function cell(rows: readonly Row[], name: string, base: string, column: (typeof COLUMNS)[number]): string {
  const { figure, digits } = column;
  const own = rows.filter((row) => row.target === name);
  const value = median(own.map((row) => row.measurement[figure])).toFixed(digits);
  const ratios = own.flatMap((row) => {
    const floor = rows.find((other) => other.target === base && other.round === row.round);
    return floor === undefined ? [] : [row.measurement[figure] / floor.measurement[figure]];
  });
  return `${value} (${median(ratios).toFixed(2)}×)`;
}
