// Who acts, for tests that call the domain or an object directly.

import type { Actor } from "../../src/domain/gateway.ts";

/** `actor` in a request of its own; an admin unless `cause` says otherwise. */
export function actorNamed(actor: string, cause: Actor["cause"] = "admin"): Actor {
  return { actor, cause, requestId: crypto.randomUUID() };
}
