// Client authentication at the token endpoint (RFC 6749 §2.3.1): HTTP Basic or body parameters, never neither, never
// both. Called by oauth.ts. The two methods are documented by Gong's metadata; the errors are inferred from the RFC.
import type { Integration } from "./integrations.ts";
import type { World } from "./world.ts";

export type ClientProof =
  | { kind: "proven"; integration: Integration }
  | { kind: "refused"; status: 400 | 401; error: "invalid_client" | "invalid_request" };

const UNPROVEN: ClientProof = { kind: "refused", status: 401, error: "invalid_client" };
const TWO_METHODS: ClientProof = { kind: "refused", status: 400, error: "invalid_request" };

/** T3, T4, I6. Proves which integration sent the request, by its current secret. */
export function proveClient(world: World, headers: Headers, form: URLSearchParams): ClientProof {
  const authorization = headers.get("authorization");
  const basic = authorization === null ? undefined : parseBasic(authorization);
  if (authorization !== null && basic === undefined) return UNPROVEN;
  const posted = form.get("client_secret");
  if (basic !== undefined && posted !== null) return TWO_METHODS;
  const bodyId = form.get("client_id");
  // A client id in the body beside Basic is harmless when it says the same (RFC 6749 §3.2.1 allows the parameter).
  if (basic !== undefined && bodyId !== null && bodyId !== basic.id) return TWO_METHODS;
  const id = basic?.id ?? bodyId;
  const secret = basic?.secret ?? posted;
  const integration = world.integrations.get(id ?? "");
  if (integration === undefined || secret !== integration.clientSecret) return UNPROVEN;
  // I5. A deleted integration proves itself no more, unless a test wants `invalid_grant` from the grant's side.
  const isGone = integration.deleted && world.knobs.refreshAfterRemoval === "invalid_client";
  return isGone ? UNPROVEN : { kind: "proven", integration };
}

/**
 * T4. RFC 6749 §2.3.1: id and secret are form-encoded before they are joined, so a literal `:`, `+`, `%` or `/` in a
 * secret only survives when both sides follow the rule. Returns undefined for anything that is not such a header.
 */
function parseBasic(authorization: string): { id: string; secret: string } | undefined {
  const encoded = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const joined = Buffer.from(encoded, "base64").toString("utf8");
  const colon = joined.indexOf(":");
  if (colon === -1) return undefined;
  const id = formDecoded(joined.slice(0, colon));
  const secret = formDecoded(joined.slice(colon + 1));
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A stray `%`: the client did not encode its secret. Strict, because a lenient server would hide that.
    return undefined;
  }
}
