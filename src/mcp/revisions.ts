// The revisions of MCP that answers are told apart by. Called by domain/list-tools: a server may describe a tool
// otherwise in each of them. MCP, Versioning; MCP 2025-06-18, Protocol Version Header.

/** Dates, so that they sort as text. */
export const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;

/** The newest revision of the list that is not newer than the one asked for; the first one when none was named. */
export function knownRevision(asked: string | undefined): string {
  return REVISIONS.findLast((revision) => asked !== undefined && revision <= asked) ?? REVISIONS[0];
}
