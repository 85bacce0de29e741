// Traceability: every requirement has a test that cites it, and every test block cites a requirement.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REQUIREMENTS } from "./requirements.ts";
import { verifies } from "./verifies.ts";

const TESTS = join(import.meta.dirname, "..");
const files = readdirSync(TESTS, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.test\.tsx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(TESTS, file), "utf8") }));

const CITATION = /verifies\(\s*((?:"[^"]+",\s*)+)/g;
/** A block that is not inside another one starts at the left margin. */
const OUTER_BLOCK = /^(describe|it|test)(\.\w+)*\(\s*/gm;

describe(verifies("conformance.traceability", "traceability"), () => {
  it("every requirement is cited by a test", () => {
    const cited = new Set(
      files.flatMap(({ text }) => [...text.matchAll(CITATION)].flatMap(([, ids]) => quoted(ids ?? ""))),
    );
    const uncited = Object.keys(REQUIREMENTS).filter((id) => !cited.has(id));
    expect(uncited).toEqual([]);
  });

  it("every outer test block cites a requirement", () => {
    const silent = files.flatMap(({ file, text }) =>
      [...text.matchAll(OUTER_BLOCK)]
        .filter(({ 0: start, index }) => !text.slice(index + start.length).startsWith("verifies("))
        .map(({ index }) => `${file}:${text.slice(0, index).split("\n").length}`),
    );
    expect(silent).toEqual([]);
  });

  it("every requirement names its source and says what must be true", () => {
    const incomplete = Object.entries(REQUIREMENTS)
      .filter(([, { source, behaviour }]) => source.length < 4 || behaviour.length < 20)
      .map(([id]) => id);
    expect(incomplete).toEqual([]);
  });
});

function quoted(list: string): readonly string[] {
  return [...list.matchAll(/"([^"]+)"/g)].map(([, id]) => id ?? "");
}
