// How a test says which requirements it verifies: in the title of its describe, or of a test outside of one.

import type { RequirementId } from "./requirements.ts";

/**
 * The title of a test block that verifies `ids`: `describe(verifies("pkce.s256", "PKCE"), …)`. The last argument is the
 * title, the others are requirement ids; an unknown id does not compile.
 */
export function verifies(...citation: readonly [RequirementId, ...RequirementId[], string]): string {
  const ids = citation.slice(0, -1);
  return `${citation.at(-1)} [${ids.join(", ")}]`;
}
