// Redirect URIs that strangers may and may not register at POST /register: RFC 7591 §5, RFC 8252 §7.

import { describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, CLIENT_REDIRECT } from "../support/flow.ts";
import { everythingStored } from "../support/evidence.ts";
import { expectOAuthError } from "../support/refusals.ts";

const send = (redirectUris: unknown): Promise<Response> =>
  ask("/register", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect_uris: redirectUris, token_endpoint_auth_method: "none" }),
  });

const SCRIPT_SCHEMES = [
  "javascript",
  "data",
  "vbscript",
  "blob",
  "file",
  "about",
  "view-source",
  "filesystem",
  "ms-word",
  "intent",
  "jar",
];
/** Spellings that a filter and a browser read differently. */
const DANGEROUS = SCRIPT_SCHEMES.flatMap((scheme) => {
  const [first = "", ...rest] = scheme;
  return [
    `${scheme}:x`,
    `${scheme}://x`,
    `${scheme.toUpperCase()}:x`,
    `${first.toUpperCase()}${rest.join("")}:x`,
    ` ${scheme}:x`,
    `\t${scheme}:x`,
    `\u0000${scheme}:x`,
    `\u00a0${scheme}:x`,
    `\ufeff${scheme}:x`,
    `${first}\n${rest.join("")}:x`,
    `${first}\t${rest.join("")}:x`,
    `${scheme}\u0000:x`,
    `${scheme} :x`,
    `${scheme}%3Ax`,
    `%6${first.charCodeAt(0).toString(16).slice(1)}${rest.join("")}:x`,
    `//${scheme}:x`,
  ];
});

const LOOSE: readonly unknown[] = [
  "http://client.example/cb",
  "http://127.0.0.1.evil.test/cb",
  "http://localhost.evil.test/cb",
  "http://127.1/cb",
  "http://0.0.0.0/cb",
  "http://[::ffff:127.0.0.1]/cb",
  "https://*/cb",
  "https://*.client.example/cb",
  "https://client.example/*",
  "https://client.example/cb#fragment",
  "https://client.example/cb#",
  "https://u:p@client.example/cb",
  "https://u@client.example/cb",
  "https://client.example\\@evil.test/cb",
  "https://192.0.2.1/cb",
  "https://3221225985/cb",
  "https://0xC0000201/cb",
  "https://[2001:db8::1]/cb",
  "https:///cb",
  "https:/client.example/cb",
  "https:client.example",
  "//client.example/cb",
  "/cb",
  "cb",
  "",
  "https://client.example/a/../cb",
  "https://client.example/%2e%2e/cb",
  "https://client.example/..;/cb",
  "https://client.example/%0d%0ax",
  "https://client.example/%",
  "https://client.example/%zz",
  "https://client.example/ cb",
  "https://client.example/c\nb",
  "https://client.еxample/cb",
  "https://client.example:0/cb",
  "https://client.example:65536/cb",
  "https://client.example:x/cb",
  `https://client.example/${"x".repeat(2048)}`,
  "ftp://client.example/cb",
  "ws://client.example/cb",
  "mailto:a@client.example",
  7,
  null,
  {},
  [CLIENT_REDIRECT],
];

describe(verifies("registration.redirect_uris", "redirect URIs that strangers register"), () => {
  it(
    "RFC 7591 §5, RFC 9700 §4.11: none of 176 spellings of script schemes is taken, alone or beside a good one",
    { timeout: 120_000 },
    async () => {
      const before = await everythingStored();
      const taken: string[] = [];
      for (const uri of DANGEROUS) {
        for (const redirectUris of [[uri], [CLIENT_REDIRECT, uri]]) {
          const answer = await send(redirectUris);
          const { error }: { error?: string } = await answer.json();
          if (error !== "invalid_redirect_uri") taken.push(uri);
        }
      }
      expect(taken).toEqual([]);
      expect(await everythingStored()).toBe(before);
    },
  );

  it.each(LOOSE)("RFC 7591 §3.2.2: %j is refused", async (uri) => {
    await expectOAuthError(await send([uri]), "invalid_redirect_uri");
  });

  it.each([
    undefined,
    null,
    [],
    "https://client.example/cb",
    {},
    Array.from({ length: 11 }, (_, n) => `https://a.example/${n}`),
    Array.from({ length: 1000 }, () => "https://a.example/"),
  ])("RFC 7591 §2: %o is no list of one to ten", async (redirectUris) => {
    await expectOAuthError(await send(redirectUris), "invalid_redirect_uri");
  });

  it("RFC 7591 §2: ten long ones are taken", async () => {
    const uris = Array.from({ length: 10 }, (_, n) => `https://a.example/${n}/${"x".repeat(2000)}`);
    expect((await send(uris)).status).toBe(201);
  });
});
