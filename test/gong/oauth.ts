// Gong's token endpoint, `generate-mcp-token`: codes and refresh tokens for tokens (RFC 6749 §4.1.3 and §6, RFC 7636
// §4.6). Called by stand-in.ts. Its URL, grants and client authentication are documented; the rest says its source.
import { createHash } from "node:crypto";
import type { Arrival } from "./arrival.ts";
import { refusedAddressResponse } from "./challenge.ts";
import { proveClient } from "./client-authentication.ts";
import { type Code, type IssuedTokens, issueFirstTokens, redeemRefreshToken } from "./grants.ts";
import type { Integration } from "./integrations.ts";
import type { RedemptionResult } from "./ledger.ts";
import { answerAfter } from "./streams.ts";
import { tokenErrorResponse, tokenResponse } from "./token-answers.ts";
import { isRemoved, mcpUrl, type World } from "./world.ts";

/** Answers POST /oauth2/generate-mcp-token. */
export async function serveToken(world: World, arrival: Arrival): Promise<Response> {
  const { refusedAddressAt, tokenDelayMs } = world.knobs;
  if (refusedAddressAt === "token" || refusedAddressAt === "everywhere") return refusedAddressResponse();
  if (arrival.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
  // R5. Before anything is decided, so that parallel refreshes overlap.
  await answerAfter(tokenDelayMs, world.ended.signal);
  const form = readForm(world, arrival);
  if (form === undefined) return tokenErrorResponse(world, 400, "invalid_request");
  for (const name of new Set(form.keys())) {
    // RFC 6749 §3.2: parameters must not be repeated. RFC 8707 §2 lets `resource` repeat.
    if (name !== "resource" && form.getAll(name).length > 1) {
      return tokenErrorResponse(world, 400, "invalid_request");
    }
  }
  const proof = proveClient(world, arrival.headers, form);
  if (proof.kind === "refused") return tokenErrorResponse(world, proof.status, proof.error);
  if (isForeignResource(world, form)) return tokenErrorResponse(world, 400, "invalid_target");
  switch (form.get("grant_type")) {
    case "authorization_code":
      return redeemCode(world, arrival, proof.integration, form);
    case "refresh_token":
      return refresh(world, arrival, proof.integration, form);
    case null:
      return tokenErrorResponse(world, 400, "invalid_request");
    default:
      return tokenErrorResponse(world, 400, "unsupported_grant_type");
  }
}

/** T5. A form body (inferred: standard clients are supported). JSON is refused; query parameters only by knob. */
function readForm(world: World, arrival: Arrival): URLSearchParams | undefined {
  const type = arrival.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return new URLSearchParams(arrival.body);
  if (world.knobs.queryParametersTaken && arrival.body === "") return arrival.url.searchParams;
  return undefined;
}

/** A8. Unknown at Gong; inferred from RFC 8707 §2 for the strict knob. */
function isForeignResource(world: World, form: URLSearchParams): boolean {
  if (world.knobs.resource !== "must_be_mcp_url") return false;
  return form.getAll("resource").some((resource) => resource !== mcpUrl(world));
}

function redeemCode(
  world: World,
  arrival: Arrival,
  integration: Integration,
  form: URLSearchParams,
): Response {
  const value = form.get("code") ?? "";
  const code = world.book.codes.get(value);
  const result = checkCode(world, code, integration, form);
  recordRedemption(world, arrival, { of: "code", value, clientId: integration.clientId, result });
  if (code === undefined || result !== "accepted") {
    // T2. RFC 6749 §4.1.2: on a second use the server SHOULD revoke what the code gave. Unknown at Gong.
    if (result === "reused" && world.knobs.codeReuse === "refused_and_revokes" && code !== undefined) {
      code.grant.revoked = true;
    }
    return tokenErrorResponse(world, 400, "invalid_grant");
  }
  code.redeemed = true;
  // A2. Where a person without a seat is stopped is unknown; this is one of three knob settings.
  if (code.grant.person.seat !== "paid" && world.knobs.seatRefusedAt !== "call") {
    return tokenErrorResponse(world, 400, "invalid_grant");
  }
  const tokens = issueFirstTokens(world.book, world.knobs, world.nowMs(), code.grant);
  return deliver(world, arrival, tokens, "authorization_code");
}

/** T1, T2, A7. A failed attempt with the wrong verifier or redirect URI leaves the code unused (assumption). */
function checkCode(
  world: World,
  code: Code | undefined,
  integration: Integration,
  form: URLSearchParams,
): RedemptionResult {
  if (code === undefined) return "unknown";
  if (code.grant.clientId !== integration.clientId) return "wrong_client";
  if (code.redeemed) return "reused";
  if (code.expiresAtMs <= world.nowMs()) return "expired";
  if (isRemoved(world, code.grant)) return "revoked";
  if (form.get("redirect_uri") !== code.redirectUri) return "mismatch";
  return verifierMatches(code.challenge, form.get("code_verifier")) ? "accepted" : "mismatch";
}

/** A7. RFC 7636 §4.6. A verifier without a challenge is refused too, so that a lost challenge shows. */
function verifierMatches(challenge: string | undefined, verifier: string | null): boolean {
  if (challenge === undefined) return verifier === null;
  if (verifier === null) return false;
  return createHash("sha256").update(verifier).digest("base64url") === challenge;
}

function refresh(world: World, arrival: Arrival, integration: Integration, form: URLSearchParams): Response {
  const value = form.get("refresh_token");
  if (value === null) return tokenErrorResponse(world, 400, "invalid_request");
  const { clientId } = integration;
  const grant = world.book.refreshTokens.get(value)?.grant;
  if (grant !== undefined && grant.clientId === clientId && isRemoved(world, grant)) {
    // I5. Which error follows a deletion or deactivation is unknown.
    recordRedemption(world, arrival, { of: "refresh_token", value, clientId, result: "revoked" });
    const error = world.knobs.refreshAfterRemoval;
    return tokenErrorResponse(world, error === "invalid_client" ? 401 : 400, error);
  }
  const decision = redeemRefreshToken(world.book, world.knobs, world.nowMs(), { value, clientId });
  recordRedemption(world, arrival, { of: "refresh_token", value, clientId, result: decision.result });
  if (decision.tokens === undefined) return tokenErrorResponse(world, 400, "invalid_grant");
  return deliver(world, arrival, decision.tokens, "refresh_token");
}

function deliver(
  world: World,
  arrival: Arrival,
  tokens: IssuedTokens,
  via: "authorization_code" | "refresh_token",
): Response {
  const { grant, accessToken, refreshToken } = tokens;
  world.ledger.append({
    kind: "tokens_issued",
    request: arrival.seq,
    grant: grant.id,
    clientId: grant.clientId,
    person: grant.person.id,
    via,
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
  });
  return tokenResponse(world, tokens);
}

function recordRedemption(
  world: World,
  arrival: Arrival,
  redemption: {
    of: "code" | "refresh_token";
    value: string;
    clientId: string;
    result: RedemptionResult;
  },
): void {
  world.ledger.append({ kind: "redemption", request: arrival.seq, ...redemption });
}
