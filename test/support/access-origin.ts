// A Cloudflare Access team on a real socket, for tests of the Worker over HTTP: it publishes its keys, and signs the
// token that Access would put on a person's requests. Inside workerd: access.ts.

import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { freePort } from "./workerd.ts";

/** The AUD tag of the application in front of the gateway. */
const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

export interface AccessOrigin {
  /** What turns this team's Access on. */
  readonly settings: Readonly<Record<string, string>>;
  /** The headers that Access adds for this person. */
  headersFor(email: string): Promise<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the team on loopback, with these people as admins. */
export async function startAccessOrigin(adminEmails: string): Promise<AccessOrigin> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const key = { ...(await exportJWK(publicKey)), kid: "team-key", alg: "RS256", use: "sig" };
  const server = createServer((request, response) => {
    const isKeys = request.url === "/cdn-cgi/access/certs";
    response.writeHead(isKeys ? 200 : 404, { "content-type": "application/json" });
    response.end(isKeys ? JSON.stringify({ keys: [key] }) : "{}");
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${port}`;
  return {
    settings: { ACCESS_TEAM_DOMAIN: issuer, ACCESS_AUD: AUDIENCE, ADMIN_EMAILS: adminEmails },
    async headersFor(email) {
      const token = await new SignJWT({ email, type: "app" })
        .setProtectedHeader({ alg: "RS256", kid: "team-key", typ: "JWT" })
        .setIssuer(issuer)
        .setAudience([AUDIENCE])
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey);
      return { "cf-access-jwt-assertion": token };
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
