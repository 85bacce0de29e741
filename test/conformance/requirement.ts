// The form of a requirement: what must be true, and who says so. Data only; tests cite the ids.

export interface Requirement {
  /** RFC or MCP section, OWASP ASVS id, or "gateway" for a promise of our own. */
  readonly source: string;
  readonly behaviour: string;
}
