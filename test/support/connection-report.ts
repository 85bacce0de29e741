// What a connection may tell the admin's index about itself, for tests that fill the index without ten thousand
// objects.

import type { ConnectionReport } from "../../src/storage/connection-index.ts";

/** A report in this state, changed as said. */
export function reportOf(state: string, changes: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    state,
    reason: null,
    since: Math.floor(Date.now() / 1000),
    usedOn: 0,
    agents: [],
    kid: null,
    atRisk: false,
    personDueAt: null,
    personDueFor: null,
    outOfCreditsSince: null,
    ...changes,
  };
}
