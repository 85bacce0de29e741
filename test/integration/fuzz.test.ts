// Requests that no person and no client would make, by the hundred: every endpoint stays calm and says only what was
// written for strangers.

import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, authorizationQuery, CLIENT_REDIRECT, PKCE, register, RESOURCE } from "../support/flow.ts";
import { everythingStored } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

const NASTY = [
  "",
  " ",
  "\u0000",
  "\r\nx: y",
  "%",
  "%00",
  "../..",
  "__proto__",
  "constructor",
  "<script>xss(1)</script>",
  "'\"`;--",
  "\u202E",
  "\uFFFF",
  "gst_",
  `grt_${"A".repeat(124)}`,
  "//evil.test/",
  "1e999",
  "-1",
  "[]",
  "{}",
  "x".repeat(3000),
];
const GOOD = [
  "authorization_code",
  "refresh_token",
  "code",
  "S256",
  PKCE.challenge,
  PKCE.verifier,
  CLIENT_REDIRECT,
  RESOURCE,
];
const NAMES = [
  "grant_type",
  "code",
  "client_id",
  "client_secret",
  "code_verifier",
  "redirect_uri",
  "refresh_token",
  "scope",
  "resource",
  "token",
  "token_type_hint",
  "state",
  "response_type",
  "code_challenge",
  "code_challenge_method",
  "error",
  "iss",
  "request",
  "decision",
];
const value = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.constantFrom(...GOOD),
  fc.string({ unit: "binary", maxLength: 60 }),
);
const pairs = fc.array(
  fc.tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() }),
    value,
  ),
  {
    maxLength: 12,
  },
);

// A lone surrogate can't be written in UTF-8.
const formOf = (fields: readonly (readonly [string, string])[], withClient: boolean): string => {
  const form = new URLSearchParams(fields.map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]));
  if (withClient) form.set("client_id", clientId);
  return form.toString();
};

/** Runs the same 250 inputs every time. */
const RUNS = { numRuns: 250, seed: 20_261_122 };

/** All that /token, /revoke and /register ever say to a stranger. */
const DESCRIPTIONS = new Set<string>();

describe(verifies("http.calm", "malformed requests"), { timeout: 60_000 }, () => {
  it.each(["/token", "/revoke"])(
    "OWASP ASVS 16.5.1: %s answers 4xx in words of ours, echoes nothing, keeps nothing",
    async (path) => {
      const before = await everythingStored();
      await fc.assert(
        fc.asyncProperty(pairs, fc.boolean(), async (fields, withClient) => {
          const answer = await ask(path, {
            method: "POST",
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: formOf(fields, withClient),
          });
          expect([200, 400, 401]).toContain(answer.status);
          expect(answer.status === 200 && path === "/token").toBe(false);
          const text = await answer.text();
          if (text === "") return;
          const { error, error_description }: Record<string, string> = JSON.parse(text);
          DESCRIPTIONS.add(`${error}: ${error_description}`);
        }),
        RUNS,
      );
      expect(await everythingStored()).toBe(before);
      expect(await gong.requests()).toEqual([]);
    },
  );

  it("OWASP ASVS 16.5.1: the sentences are few and have no value in them", () => {
    expect(DESCRIPTIONS.size).toBeGreaterThan(5);
    expect(DESCRIPTIONS.size).toBeLessThan(25);
    for (const description of DESCRIPTIONS) {
      expect(description).toMatch(/^[a-z_]+: [A-Z][A-Za-z0-9 ,.:;'`_/-]+\.$/);
      expect(description).not.toMatch(/evil|proto|xss|undefined|null|Error/);
    }
  });

  it.each(["/authorize", "/callback"])(
    "OWASP ASVS 16.5.1: GET %s answers with a page and no redirect",
    async (path) => {
      await fc.assert(
        fc.asyncProperty(pairs, fc.boolean(), async (fields, withClient) => {
          const answer = await ask(`${path}?${formOf(fields, withClient)}`);
          const text = await answer.text();
          expect(answer.status).toBe(400);
          expect(answer.headers.get("location")).toBeNull();
          expect(answer.headers.get("content-type")).toContain("text/html");
          expect(text).not.toMatch(/xss\(1\)|evil\.test|undefined|\[object/);
        }),
        RUNS,
      );
      expect(await gong.requests()).toEqual([]);
    },
  );

  it("OWASP ASVS 16.5.1: a good request with one parameter spoiled is a page or a consent page, never a failure", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NAMES), value, async (name, spoiled) => {
        const query = new URLSearchParams(authorizationQuery(clientId));
        query.set(name, spoiled.toWellFormed());
        const answer = await ask(`/authorize?${query}`);
        expect([200, 400]).toContain(answer.status);
        expect(answer.headers.get("location")).toBeNull();
        await answer.body?.cancel();
      }),
      RUNS,
    );
  });

  it("OWASP ASVS 2.2.1: /register takes any JSON calmly", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.oneof(
            fc.constantFrom("redirect_uris", "client_name", "grant_types", "token_endpoint_auth_method"),
            fc.string(),
          ),
          fc.jsonValue(),
        ),
        async (body) => {
          const answer = await ask("/register", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          });
          expect([201, 400]).toContain(answer.status);
          await answer.body?.cancel();
        },
      ),
      RUNS,
    );
  });
});
