// The arguments of a tool call as guards read them: by names that every reader, however lenient, would take for the
// same. Part of cost-guards.ts and date-range.ts.

import { isJsonObject } from "../json.ts";

/** The arguments of a call by folded name. */
export type NamedArguments = ReadonlyMap<string, unknown>;

/**
 * Folds the names: case, punctuation and Unicode variants gone.
 * Undefined when `given` is no object or two names fold to one.
 */
export function namedArguments(given: unknown): NamedArguments | undefined {
  if (given === undefined) return new Map();
  if (!isJsonObject(given)) return undefined;
  const named = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    const folded = name
      .normalize("NFKC")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]/gu, "");
    if (named.has(folded)) return undefined;
    // An argument without a value is one that was not given.
    if (value !== undefined && value !== null) named.set(folded, value);
  }
  return named;
}
