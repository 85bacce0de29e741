// The list of checks that fail and are known to, expected-failures.yaml, and what the referee's results say about it.
// Called by referee.test.ts.

import { readFileSync } from "node:fs";
import path from "node:path";
import { isFailing, type Results } from "./referee.ts";

const FILE = path.join(import.meta.dirname, "expected-failures.yaml");

export interface Expectation {
  readonly role: string;
  /** `<scenario>`, or `<scenario>:<check id>`: the runner's own notation. */
  readonly entry: string;
  readonly reason: string;
}

/** Reads the list. Throws for a line that is no comment, role or entry with a reason behind it. */
export function readExpectations(): readonly Expectation[] {
  const expectations: Expectation[] = [];
  let role = "";
  for (const line of readFileSync(FILE, "utf8").split("\n")) {
    if (/^ *(#.*)?$/.test(line)) continue;
    const nextRole = /^(server|client):$/.exec(line)?.[1];
    const [, entry, reason] = /^ {2}- ([\w/:.-]+) # (.{20,})$/.exec(line) ?? [];
    if (nextRole !== undefined) role = nextRole;
    else if (entry === undefined || reason === undefined)
      throw new Error(`Not an entry with a reason: ${line}`);
    else expectations.push({ role, entry, reason });
  }
  return expectations;
}

/** The failing checks of `results` that are not on the list, with what the runner says about each. */
export function unexpectedFailures(role: string, results: Results): readonly string[] {
  const entries = new Set(expectedOf(role));
  return failing(results)
    .filter(({ scenario, id }) => !entries.has(scenario) && !entries.has(`${scenario}:${id}`))
    .map(({ scenario, id, errorMessage }) => `${scenario}:${id} ${errorMessage ?? ""}`);
}

/** The entries that nothing in any of these runs fails for any more. */
export function staleEntries(role: string, runs: readonly Results[]): readonly string[] {
  const found = runs.flatMap(failing);
  return expectedOf(role).filter(
    (entry) => !found.some(({ scenario, id }) => entry === scenario || entry === `${scenario}:${id}`),
  );
}

function expectedOf(role: string): readonly string[] {
  return readExpectations()
    .filter((expectation) => expectation.role === role)
    .map(({ entry }) => entry);
}

function failing(results: Results) {
  return [...results].flatMap(([scenario, checks]) =>
    checks.filter(isFailing).map(({ id, errorMessage }) => ({ scenario, id, errorMessage })),
  );
}
