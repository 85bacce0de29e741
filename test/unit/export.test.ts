import { describe, expect, it } from "vitest";
import { csvLine, exportResponse, parseExportFormat, type ExportedList } from "../../src/export.ts";
import { verifies } from "../conformance/verifies.ts";

describe(verifies("export.csv", "a record of a CSV download"), () => {
  it.each<readonly [unknown, readonly (string | number | null | undefined)[], string]>([
    ["plain cells", ["a", 1, -2.5], "a,1,-2.5\r\n"],
    ["nothing", [null, undefined, ""], ",,\r\n"],
    ["a comma", ["a,b"], '"a,b"\r\n'],
    ["a quote", ['a "b"'], '"a ""b"""\r\n'],
    ["line breaks", ["a\r\nb", "c\nd"], '"a\r\nb","c\nd"\r\n'],
  ])("RFC 4180 §2: %s", (_, cells, line) => {
    expect(csvLine(cells)).toBe(line);
  });

  it.each([
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "|cmd",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "\u00A0=1",
  ])("CWE-1236: %j stays text", (text) => {
    expect(csvLine([text])).toMatch(/^"?'/u);
  });

  it("CWE-1236: text that begins with a letter, a digit or a quote is left as it is", () => {
    expect(csvLine(["gcl_a-b", "https://a.test/?x=1", "7"])).toBe("gcl_a-b,https://a.test/?x=1,7\r\n");
  });
});

interface Row {
  readonly id: number;
  readonly name: string;
}

const list = (batches: readonly (readonly Row[])[], asked: number[] = []): ExportedList<Row> => {
  const left = [...batches];
  return {
    name: "rows",
    columns: [
      ["id", ({ id }) => id],
      ["name", ({ name }) => name],
    ],
    more: () => {
      asked.push(left.length);
      return Promise.resolve(left.shift() ?? []);
    },
  };
};

describe(verifies("export.streamed", "a download"), () => {
  const batches = [
    [{ id: 1, name: "a\nb" }],
    [
      { id: 2, name: "=c" },
      { id: 3, name: "</script>" },
    ],
  ];

  it("RFC 4180 §2.3: CSV has a header line, then one record a row", async () => {
    const response = exportResponse("csv", list(batches));
    expect(await response.text()).toBe(`id,name\r\n1,"a\nb"\r\n2,'=c\r\n3,</script>\r\n`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": 'attachment; filename="rows.csv"',
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  it("NDJSON has one object a line, with text as it is", async () => {
    const response = exportResponse("ndjson", list(batches));
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(batches.flat());
    expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
  });

  it("rows are asked for as they are read, not all at once", async () => {
    const asked: number[] = [];
    const many = Array.from({ length: 1000 }, (_, id) => [{ id, name: "x" }]);
    const reader = exportResponse("ndjson", list(many, asked)).body?.getReader();
    await reader?.read();
    expect(asked.length).toBeLessThan(5);
    await reader?.cancel();
  });

  it("only the two formats are known", () => {
    expect(["csv", "ndjson", "json", "", undefined].map(parseExportFormat)).toEqual([
      "csv",
      "ndjson",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
