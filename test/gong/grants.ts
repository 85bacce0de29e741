// Codes, grants, access tokens and refresh tokens of the stand-in, and the rules of their use. Called by authorize.ts,
// oauth.ts and mcp.ts. Decisions here are synchronous, so parallel requests can't both win.
import type { Knobs } from "./knobs.ts";
import type { Person } from "./people.ts";
import type { RedemptionResult } from "./ledger.ts";
import { randomText } from "./random.ts";

/** One authorization by one person for one integration: the family of all its tokens. */
export interface Grant {
  id: string;
  clientId: string;
  person: Person;
  access: "personal" | "shared";
  scopes: string[];
  resource: string | undefined;
  revoked: boolean;
}

export interface Code {
  value: string;
  grant: Grant;
  redirectUri: string;
  challenge: string | undefined;
  expiresAtMs: number;
  redeemed: boolean;
}

export interface AccessToken {
  value: string;
  grant: Grant;
  expiresAtMs: number;
  /** C3. Tokens of Gong's REST surface do not work on MCP (third party, derived). */
  surface: "mcp" | "rest";
  killed: boolean;
}

export interface RefreshToken {
  value: string;
  grant: Grant;
  generation: number;
  /** `superseded`: rotated, but valid until the successor is used (R2). `killed`: ended by a test (M6). */
  state: "current" | "superseded" | "spent" | "killed";
  spentAtMs: number | undefined;
  predecessor: RefreshToken | undefined;
}

export interface IssuedTokens {
  grant: Grant;
  accessToken: string;
  expiresInSeconds: number;
  refreshToken: string | undefined;
}

export interface GrantBook {
  grants: Map<string, Grant>;
  codes: Map<string, Code>;
  accessTokens: Map<string, AccessToken>;
  refreshTokens: Map<string, RefreshToken>;
}

/** An empty book. */
export function createGrantBook(): GrantBook {
  return { grants: new Map(), codes: new Map(), accessTokens: new Map(), refreshTokens: new Map() };
}

/** Issues the first tokens of a code's grant. The code must have been checked and marked as redeemed. */
export function issueFirstTokens(book: GrantBook, knobs: Knobs, nowMs: number, grant: Grant): IssuedTokens {
  if (knobs.secondAuthorization === "first_dies") {
    // R7. Unknown at Gong: one live grant per person and integration.
    for (const other of book.grants.values()) {
      if (other.clientId === grant.clientId && other.person.id === grant.person.id) other.revoked = true;
    }
  }
  book.grants.set(grant.id, grant);
  return {
    ...issueAccessToken(book, knobs, nowMs, grant),
    refreshToken: issueRefreshToken(book, grant, undefined),
  };
}

/** What a presented refresh token came to; `tokens` only when accepted. */
export interface RefreshDecision {
  result: RedemptionResult;
  tokens?: IssuedTokens;
}

/**
 * R1, R2. Redeems a refresh token for `clientId` under the knob `refreshMode`. By default it is spent at once and a
 * new one is issued; presenting a spent one changes nothing and is refused.
 */
export function redeemRefreshToken(
  book: GrantBook,
  knobs: Knobs,
  nowMs: number,
  presented: { value: string; clientId: string },
): RefreshDecision {
  const refreshToken = book.refreshTokens.get(presented.value);
  if (refreshToken === undefined) return { result: "unknown" };
  const { grant } = refreshToken;
  // I6. A refresh token from another integration is refused and stays good for its own.
  if (grant.clientId !== presented.clientId) return { result: "wrong_client" };
  if (grant.revoked || refreshToken.state === "killed") return { result: "revoked" };
  if (refreshToken.state === "spent" && !isInGrace(knobs, refreshToken, nowMs)) {
    if (knobs.refreshMode === "reuse_revokes_family") grant.revoked = true;
    return { result: "reused" };
  }
  if (knobs.accessAfterRefresh === "dies") killAccessTokens(book, grant);
  const successor = rotate(book, knobs, nowMs, refreshToken);
  const tokens = { ...issueAccessToken(book, knobs, nowMs, grant), refreshToken: successor };
  return { result: "accepted", tokens };
}

function isInGrace(knobs: Knobs, refreshToken: RefreshToken, nowMs: number): boolean {
  if (knobs.refreshMode !== "grace" || refreshToken.spentAtMs === undefined) return false;
  return nowMs - refreshToken.spentAtMs <= knobs.graceSeconds * 1000;
}

/** Returns the refresh token for the reply, or undefined when the reply has none. */
function rotate(
  book: GrantBook,
  knobs: Knobs,
  nowMs: number,
  refreshToken: RefreshToken,
): string | undefined {
  if (knobs.refreshMode === "not_rotating") return refreshToken.value;
  if (knobs.refreshMode === "omitted") return undefined;
  if (refreshToken.predecessor !== undefined) spend(refreshToken.predecessor, nowMs);
  if (knobs.refreshMode === "old_valid_until_new_used") refreshToken.state = "superseded";
  else spend(refreshToken, nowMs);
  return issueRefreshToken(book, refreshToken.grant, refreshToken);
}

function spend(refreshToken: RefreshToken, nowMs: number): void {
  refreshToken.state = "spent";
  refreshToken.spentAtMs ??= nowMs;
}

function issueRefreshToken(book: GrantBook, grant: Grant, predecessor: RefreshToken | undefined): string {
  const value = randomText("gong_refresh");
  const generation = (predecessor?.generation ?? 0) + 1;
  book.refreshTokens.set(value, {
    value,
    grant,
    generation,
    state: "current",
    spentAtMs: undefined,
    predecessor,
  });
  return value;
}

function issueAccessToken(
  book: GrantBook,
  knobs: Knobs,
  nowMs: number,
  grant: Grant,
): { grant: Grant; accessToken: string; expiresInSeconds: number } {
  const expiresInSeconds = knobs.expiresInSeconds;
  const expiresAtMs = nowMs + expiresInSeconds * 1000;
  const value = accessTokenValue(knobs, grant, nowMs, expiresAtMs);
  book.accessTokens.set(value, { value, grant, expiresAtMs, surface: "mcp", killed: false });
  return { grant, accessToken: value, expiresInSeconds };
}

/** T6. The claim `uid` is a third party's finding on REST; all other claims and the signature are made up. */
function accessTokenValue(knobs: Knobs, grant: Grant, nowMs: number, expiresAtMs: number): string {
  if (knobs.accessTokenForm === "opaque") return randomText("gong_access");
  const claims = {
    uid: grant.person.uid,
    cid: grant.clientId,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor(expiresAtMs / 1000),
    jti: randomText("gong_access"),
    ...(knobs.accessTokenForm === "jwt_4kb" ? { padding: "p".repeat(2_900) } : {}),
  };
  const parts = [JSON.stringify({ alg: "HS256", typ: "JWT" }), JSON.stringify(claims)];
  const encoded = parts.map((part) => Buffer.from(part).toString("base64url"));
  return [...encoded, randomText("s").slice(2)].join(".");
}

/** C3. A token of the REST surface for `person`. It is never accepted on MCP. */
export function issueRestToken(book: GrantBook, nowMs: number, person: Person): string {
  const value = randomText("gong_rest_access");
  const grant: Grant = {
    id: randomText("grant"),
    clientId: "gong-rest-client",
    person,
    access: "personal",
    scopes: ["api:calls:read:basic"],
    resource: undefined,
    revoked: false,
  };
  const expiresAtMs = nowMs + 86_400_000;
  book.accessTokens.set(value, { value, grant, expiresAtMs, surface: "rest", killed: false });
  return value;
}

/** The grant behind a bearer token that works on MCP now, or undefined (C2, C3, I5, M6). */
export function grantOfAccessToken(
  book: GrantBook,
  knobs: Knobs,
  nowMs: number,
  value: string,
  isRemoved: (grant: Grant) => boolean,
): Grant | undefined {
  const accessToken = book.accessTokens.get(value);
  if (accessToken === undefined || accessToken.surface !== "mcp" || accessToken.killed) return undefined;
  if (accessToken.expiresAtMs <= nowMs || accessToken.grant.revoked) return undefined;
  if (knobs.accessAfterRemoval === "dies_at_once" && isRemoved(accessToken.grant)) return undefined;
  return accessToken.grant;
}

/** M6. Kills the access tokens of `grant`, as Gong could between two calls. */
export function killAccessTokens(book: GrantBook, grant: Grant): void {
  for (const accessToken of book.accessTokens.values()) {
    if (accessToken.grant === grant) accessToken.killed = true;
  }
}
