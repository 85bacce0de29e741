// A stand-in for Cloudflare Access: a team with its signing keys, the tokens it puts on requests, and the address where
// it publishes its keys (a pretended site, see client-site.ts). Used by tests inside workerd.

import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTHeaderParameters } from "jose";
import { clientSites } from "./client-site.ts";

/** The AUD tag of the Access application in front of the gateway. */
export const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

export const ACCESS_HEADER = "cf-access-jwt-assertion";

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** What Cloudflare puts into a token, and what an attack changes of it. Undefined leaves a claim out. */
export type Claims = Readonly<Record<string, unknown>>;

export interface AccessTeam {
  readonly domain: string;
  readonly issuer: string;
  /** The settings that turn this team's Access on. */
  readonly settings: Readonly<Record<string, string>>;
  readonly key: SigningKey;
  /** Publishes these keys from now on. */
  publish(...keys: readonly SigningKey[]): Promise<void>;
  /** How often the keys were asked for. */
  fetches(): Promise<number>;
  /** The token of a person, signed with the team's key unless another is given. */
  token(email: string, changes?: Claims, options?: TokenOptions): Promise<string>;
}

interface TokenOptions {
  readonly key?: SigningKey;
  readonly header?: Partial<JWTHeaderParameters>;
}

/** A fresh RS256 key pair under a kid of its own. */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = crypto.randomUUID();
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" };
  return { kid, privateKey, publicJwk };
}

/** A team that nobody used before: its keys are kept by the Worker for longer than a test. */
export async function newAccessTeam(adminEmails = ""): Promise<AccessTeam> {
  const domain = `team-${crypto.randomUUID().slice(0, 8)}-client.test`;
  const issuer = `https://${domain}`;
  const certs = `${issuer}/cdn-cgi/access/certs`;
  const key = await newSigningKey();
  const team: AccessTeam = {
    domain,
    issuer,
    settings: { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUD: AUDIENCE, ADMIN_EMAILS: adminEmails },
    key,
    // The members beside `keys` are Cloudflare's, for programs that want certificates.
    publish: (...keys) =>
      clientSites.serve(certs, {
        keys: keys.map(({ publicJwk }) => publicJwk),
        public_cert: { kid: key.kid, cert: "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n" },
        public_certs: [],
      }),
    fetches: async () => (await clientSites.asked(certs)).length,
    token: (email, changes = {}, options = {}) => signed(issuer, options.key ?? key, email, changes, options),
  };
  await team.publish(key);
  return team;
}

function signed(
  issuer: string,
  { kid, privateKey }: SigningKey,
  email: string,
  changes: Claims,
  { header = {} }: TokenOptions,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: [AUDIENCE],
    email,
    iss: issuer,
    iat: now,
    nbf: now,
    exp: now + 3600,
    type: "app",
    identity_nonce: "6ei69kawdKzMIAPF",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "NL",
    ...changes,
  };
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: "RS256", kid, typ: "JWT", ...header }).sign(privateKey);
}
