// Which pages the test of escaping renders: all of them, so that a new page can't be left out.

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "../support/tools.ts";
import { verifies } from "./verifies.ts";

const textOf = (pattern: string): string =>
  globSync(pattern, { cwd: REPOSITORY })
    .map((file) => readFileSync(path.join(REPOSITORY, file), "utf8"))
    .join("\n");

/** Nothing on it comes from outside but the form token, which is ours. */
const WITHOUT_SLOT = ["SealingKeysPage"];

describe(verifies("pages.escaping", "the pages that are held to it"), () => {
  it("ASVS 1.2.1: every page is rendered with text from outside", () => {
    const pages = [...textOf("src/pages/*.tsx").matchAll(/export function (\w+Page)\b/g)].map(
      ([, name]) => name,
    );
    expect(pages.length).toBeGreaterThan(30);
    const rendered = textOf("test/unit/pages/escaping.test.tsx") + textOf("test/support/hostile-slots.tsx");
    const missing = pages.filter((name) => !new RegExp(`<${name}\\b`).test(rendered));
    expect(missing).toEqual(WITHOUT_SLOT);
  });
});
