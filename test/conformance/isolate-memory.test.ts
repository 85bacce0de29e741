// What an isolate keeps between requests, in maps and lists at the top of a module, can't grow without end: strangers
// can ask for as many different things as they like.

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "../support/tools.ts";
import { verifies } from "./verifies.ts";

/** Bounded by something else than their own size. */
const BOUNDED_OTHERWISE: Readonly<Record<string, string>> = {
  kidNumbers: "one entry for each key of SEALING_KEYS",
};

/** A map, set or list at the top of a module that begins empty, and so is there to be filled. */
const BEGINS_EMPTY = /^(?:const|let) (\w+)(?:: [^=\n]+)? = (?:new (?:Map|Set)(?:<[^;]*?>)?\(\)|\[\]);$/gms;

function keptIn(file: string): readonly (readonly [file: string, name: string, isBounded: boolean])[] {
  const source = readFileSync(path.join(REPOSITORY, file), "utf8");
  return [...source.matchAll(BEGINS_EMPTY)].map(([, name = ""]) => {
    const compared = new RegExp(`\\b${name}\\.(?:size|length) (?:>=|>|<) (?:MOST_\\w+|\\d+)`);
    const handedOn = new RegExp(`\\b(?:makeRoom|keepBounded)\\(${name}, `);
    return [file, name, compared.test(source) || handedOn.test(source)] as const;
  });
}

describe(verifies("operations.memory_bounded", "what an isolate keeps"), () => {
  it("OWASP ASVS 15.1.3: every map and list at the top of a module has a most", () => {
    const kept = globSync("src/**/*.{ts,tsx}", { cwd: REPOSITORY }).flatMap(keptIn);
    expect(kept.length).toBeGreaterThan(8);
    const unbounded = kept.filter(([, name, isBounded]) => !isBounded && !(name in BOUNDED_OTHERWISE));
    expect(unbounded).toEqual([]);
  });
});
