// A company's issuer in the campaigns: its setting, the client it vouches to, and a request with an assertion about a
// person. Identity Assertion JWT Authorization Grant draft §3 and §4. Called by stage.ts and errands.ts.

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Outcome } from "./http.ts";
import type { Site } from "./story.ts";

const ISSUER = "https://sts.acme.test";
const CLIENT_ID = "office-suite";
const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const secret = randomBytes(32).toString("base64url");
const keys = await generateKeyPair("ES256", { extractable: true });

/** The settings that make a gateway believe this issuer. */
export const IDENTITY_SETTINGS = {
  CLIENTS: JSON.stringify([
    {
      client_id: CLIENT_ID,
      grant_types: [GRANT_TYPE],
      token_endpoint_auth_method: "client_secret_basic",
      client_secret_sha256: createHash("sha256").update(secret).digest("base64url"),
    },
  ]),
  TRUSTED_ISSUERS: JSON.stringify([
    {
      issuer: ISSUER,
      jwks: { keys: [await exportJWK(keys.publicKey)] },
      client_ids: [CLIENT_ID],
      gong_user_claim: "gong_user_id",
    },
  ]),
};

/** Presents a fresh assertion about `person`. */
export async function assert(site: Site, person: string): Promise<Outcome> {
  const uid = site.gong.memory().people.get(person)?.uid ?? "";
  const assertion = await new SignJWT({
    client_id: CLIENT_ID,
    resource: `${site.origin}/mcp`,
    gong_user_id: uid,
  })
    .setProtectedHeader({ alg: "ES256", typ: "oauth-id-jag+jwt" })
    .setIssuer(ISSUER)
    .setSubject(person)
    .setAudience(site.origin)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(keys.privateKey);
  return site.ask("/token", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${secret}`).toString("base64")}`,
    },
    body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }).toString(),
  });
}

/** The access token of a good answer. */
export function accessTokenIn(outcome: Outcome): string | undefined {
  if (outcome?.status !== 200) return undefined;
  const { access_token: token } = JSON.parse(outcome.body) as { access_token?: string };
  return token;
}
