// Lists as files: CSV (RFC 4180) and NDJSON, written as the rows come, so that a long list needs no memory. Called by
// the routes of /admin and /account; the rows hold no secrets.

export type ExportFormat = "csv" | "ndjson";

export type ExportCell = string | number | null | undefined;

export interface ExportedList<Row> {
  /** Without the ending; letters, digits and dashes. */
  readonly name: string;
  readonly columns: readonly (readonly [name: string, value: (row: Row) => ExportCell])[];
  /** The next rows, or an empty list at the end. Called once the rows before are on their way. */
  readonly more: () => Promise<readonly Row[]>;
}

/** The format that a URL names, if it is one. */
export function parseExportFormat(text: string | undefined): ExportFormat | undefined {
  return text === "csv" || text === "ndjson" ? text : undefined;
}

/** A download of the whole list, never stored on the way. Rows are asked for only as fast as they are read. */
export function exportResponse<Row>(format: ExportFormat, list: ExportedList<Row>): Response {
  const encoder = new TextEncoder();
  const names = list.columns.map(([name]) => name);
  let begun = format === "ndjson";
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!begun) {
        begun = true;
        controller.enqueue(encoder.encode(csvLine(names)));
        return;
      }
      const rows = await list.more();
      if (rows.length === 0) {
        controller.close();
        return;
      }
      const cells = rows.map((row) => list.columns.map(([, value]) => value(row)));
      const lines = format === "csv" ? cells.map(csvLine) : cells.map((values) => jsonLine(names, values));
      controller.enqueue(encoder.encode(lines.join("")));
    },
  });
  return new Response(body, {
    headers: {
      "content-type":
        format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson; charset=utf-8",
      "content-disposition": `attachment; filename="${list.name}.${format}"`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

/** What makes a spreadsheet take a cell for a formula, ASCII and full-width. */
const FORMULA_START = /^[\s=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20]/u;

/**
 * One record with its line end, RFC 4180 §2. Text that a spreadsheet would run as a formula gets an apostrophe before
 * it, which keeps it text (CWE-1236).
 */
export function csvLine(cells: readonly ExportCell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: ExportCell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return String(cell);
  const safe = FORMULA_START.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function jsonLine(names: readonly string[], values: readonly ExportCell[]): string {
  return `${JSON.stringify(Object.fromEntries(names.map((name, at) => [name, values[at] ?? null])))}\n`;
}
