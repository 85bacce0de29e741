// Thousands of credentials that prove nothing, at every endpoint that takes one: refused in the Worker, no object is
// asked, nothing is written, and whoever is signed in stays so.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { decodeBase64Url, encodeBase64Url, randomBytes } from "../../src/crypto/encoding.ts";
import { everythingStored, objectIds } from "../support/evidence.ts";
import { ask, askToken, call, connect, PKCE, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

const EACH = 750;

/** Credentials with the prefix and claims of `genuine` and a tag of nobody's, and entirely random ones. */
function forgeries(genuine: string): readonly string[] {
  const bytes = decodeBase64Url(genuine.slice(4));
  return Array.from({ length: EACH }, (_, at) => {
    const forged = Uint8Array.from(bytes);
    // All of it random, or its secret and tag, or its tag alone.
    const from = [0, 45, 77][at % 3] ?? 0;
    forged.set(randomBytes(forged.length - from), from);
    return genuine.slice(0, 4) + encodeBase64Url(forged);
  });
}

async function statusesOf(requests: readonly (() => Promise<Response>)[]): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let at = 0; at < requests.length; at += 50) {
    const answers = await Promise.all(requests.slice(at, at + 50).map((request) => request()));
    statuses.push(...answers.map(({ status }) => status));
    await Promise.all(answers.map(async ({ body }) => body?.cancel()));
  }
  return [...new Set(statuses)];
}

describe(verifies("storage.no_write_by_looking", "credential.tag", "a flood of forged credentials"), () => {
  it(
    "OWASP ASVS 2.4.1: 3,000 of them change no stored byte and create no object",
    { timeout: 60_000 },
    async () => {
      const { clientId, tokens } = await connect();
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
      const before = [await objectIds(), await everythingStored()];

      const bearers = forgeries(tokens.access_token);
      const refreshes = forgeries(tokens.refresh_token);
      const codes = forgeries(`gac_${tokens.refresh_token.slice(4)}`);
      const states = forgeries(`gst_${tokens.refresh_token.slice(4)}`);
      const grant = { client_id: clientId };
      expect(
        await Promise.all([
          statusesOf(bearers.map((token) => () => call(token, TOOLS_LIST))),
          statusesOf(
            refreshes.map(
              (token) => () => askToken({ ...grant, grant_type: "refresh_token", refresh_token: token }),
            ),
          ),
          statusesOf(
            codes.map(
              (code) => () =>
                askToken({ ...grant, grant_type: "authorization_code", code, code_verifier: PKCE.verifier }),
            ),
          ),
          statusesOf(states.map((state) => () => ask(`/callback?code=x&state=${state}`))),
        ]),
      ).toEqual([[401], [400], [400], [400]]);

      expect([await objectIds(), await everythingStored()]).toEqual(before);
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
      const renewed = await askToken({
        ...grant,
        grant_type: "refresh_token",
        refresh_token: tokens.refresh_token,
      });
      expect(renewed.status).toBe(200);
    },
  );
});
