// src/README.md tells an operator about every line that the code can log, as it is logged, and about no other.

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "../support/tools.ts";
import { verifies } from "./verifies.ts";

interface Line {
  readonly event: string;
  /** Undefined where the code works it out. */
  readonly level: string | undefined;
  readonly fields: readonly string[];
}

/** The arguments of each call of `log`, as they are written in `source`. */
function callsIn(source: string): readonly string[] {
  return [...source.matchAll(/\blog\(/g)].map(({ index }) => {
    let depth = 0;
    for (let at = index + 3; at < source.length; at += 1) {
      if (source[at] === "(") depth += 1;
      if (source[at] === ")") depth -= 1;
      if (depth === 0) return source.slice(index + 4, at);
    }
    return "";
  });
}

function lineOf(call: string): Line | undefined {
  const [, level, event] = /^\s*(?:"(\w+)"|level),\s*"([\w.]+)"/.exec(call) ?? [];
  if (event === undefined) return undefined;
  // Without texts, nested calls and fallbacks what is left are names and commas.
  const bare = call.replaceAll(/"[^"]*"|`[^`]*`/g, "").replaceAll(/ \? [^:]*:/g, "");
  const [, object = ""] = /\{(.*?)\}/s.exec(bare) ?? [];
  const fields = object.split(",").map((member) => /^\s*(\w+)\s*(?::|$)/.exec(member)?.[1]);
  const named = fields.filter((field) => field !== undefined);
  if (call.includes("errorFields(")) named.push("error", "code");
  if (/,\s*(?:(?:call\.)?gateway|\{ requestId)/.test(call)) named.push("requestId");
  return { event, level, fields: named };
}

const SOURCES = globSync("src/**/*.{ts,tsx}", { cwd: REPOSITORY })
  .filter((file) => file !== path.join("src", "log.ts"))
  .map((file) => readFileSync(path.join(REPOSITORY, file), "utf8"));
const LINES = SOURCES.flatMap(callsIn).flatMap((call) => lineOf(call) ?? []);

/** `| event | levels | fields | when |` */
const DESCRIBED = new Map(
  [
    ...readFileSync(path.join(REPOSITORY, "src/README.md"), "utf8").matchAll(
      /^\| `([a-z_]+\.[a-z_]+)` \|(.*)\|$/gm,
    ),
  ].map(([, event = "", rest = ""]) => {
    const [levels = "", fields = ""] = rest.split("|");
    return [
      event,
      { levels: levels.trim().split(", "), fields: [...fields.matchAll(/`(\w+)`/g)].map((one) => one[1]) },
    ];
  }),
);

describe(verifies("operations.log_described", "the description of the log"), () => {
  it("gateway: every event of the closed list is described, and no other", () => {
    const list = readFileSync(path.join(REPOSITORY, "src/log.ts"), "utf8");
    const events = [...list.matchAll(/^ {2}\| "([\w.]+)"/gm)].map(([, event = ""]) => event);
    expect(events.length).toBeGreaterThan(40);
    expect(new Set(DESCRIBED.keys())).toEqual(new Set(events));
    const silent = events.filter((event) => !SOURCES.some((source) => source.includes(`"${event}"`)));
    expect(silent).toEqual([]);
  });

  it("gateway: each line has the level and the fields that are described", () => {
    expect(LINES.length).toBeGreaterThan(60);
    const wrong = LINES.filter(({ event, level, fields }) => {
      const described = DESCRIBED.get(event);
      if (described === undefined) return true;
      if (level !== undefined && !described.levels.includes(level)) return true;
      return fields.some((field) => !described.fields.includes(field));
    });
    expect(wrong).toEqual([]);
  });

  it("gateway: whoever has a gateway in hand names the request", () => {
    const nameless = SOURCES.filter((source) => /gateway: Gateway|call: McpCall/.test(source))
      .flatMap(callsIn)
      .filter(
        (call) => /^\s*(?:"\w+"|level),\s*"/.test(call) && !/,\s*(?:call\.)?gateway\s*,?\s*$/.test(call),
      );
    expect(nameless).toEqual([]);
  });
});
