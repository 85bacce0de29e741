// Redirect URIs through the route: the one that is registered, and hundreds that nearly are.

import { beforeAll, describe, expect, it } from "vitest";
import { env } from "cloudflare:workers";
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { verifies } from "../conformance/verifies.ts";
import { ask, authorizationQuery, register } from "../support/flow.ts";
import { objectIds } from "../support/evidence.ts";
import { expectRefusalPage } from "../support/refusals.ts";

const HTTPS = "https://client.example/oauth/callback?tenant=a";
const LOOPBACK = "http://127.0.0.1:1111/cb";

let clientId = "";
beforeAll(async () => {
  clientId = (await register({ redirect_uris: [HTTPS, LOOPBACK] })).client_id;
});

const authorize = (redirectUri: string): Promise<Response> =>
  ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: redirectUri })}`);

/** Characters that a parser, a decoder or a person takes for something else. */
const SPOILERS = [
  "/",
  "\\",
  ".",
  "%",
  "%2e",
  "%2F",
  "%00",
  "#",
  "?",
  "@",
  ":",
  " ",
  "\t",
  "\n",
  "*",
  ";",
  "ａ",
  "x",
];

/** The URI with a character too many, one missing, one in the other case, and each spoiler, at every place. */
function mutantsOf(uri: string): readonly string[] {
  const mutants = new Set<string>();
  for (let at = 0; at <= uri.length; at += 1) {
    const [before, character, after] = [uri.slice(0, at), uri.slice(at, at + 1), uri.slice(at + 1)];
    const spoiler = SPOILERS[at % SPOILERS.length] ?? "x";
    mutants
      .add(before + after)
      .add(before + spoiler + character + after)
      .add(before + spoiler + after);
    mutants.add(before + character.toUpperCase() + after).add(before + character + character + after);
    mutants.add(`${before}%${character.charCodeAt(0).toString(16).padStart(2, "0")}${after}`);
  }
  mutants.delete(uri);
  return [...mutants];
}

/** RFC 8252 §7.3: what may differ is the port, nothing else. */
const OTHER_PORT = /^http:\/\/127\.0\.0\.1(?::[1-9][0-9]{0,4})?\/cb$/;

const LOOKALIKES = [
  "https://evil.test/cb",
  "https://client.example.evil.test/oauth/callback?tenant=a",
  "https://client.example@evil.test/oauth/callback?tenant=a",
  "https://evil.test%25@client.example/oauth/callback?tenant=a",
  "https://evil.test\\@client.example/oauth/callback?tenant=a",
  "https://client.example/oauth/..;/callback?tenant=a",
  "https://client.example/oauth/../oauth/callback?tenant=a",
  "https://client.example/oauth/%2e%2e/oauth/callback?tenant=a",
  "https://client.example:443/oauth/callback?tenant=a",
  "https://client.example./oauth/callback?tenant=a",
  "https://CLIENT.example/oauth/callback?tenant=a",
  "HTTPS://client.example/oauth/callback?tenant=a",
  "http://client.example/oauth/callback?tenant=a",
  "https://client.example/oauth/callback",
  "https://client.example/oauth/callback?tenant=a&x=1",
  "https://client.example/oauth/callback?tenant=a#x",
  "https://client.еxample/oauth/callback?tenant=a",
  "//client.example/oauth/callback?tenant=a",
  "https:client.example/oauth/callback?tenant=a",
  `${HTTPS},https://evil.test/cb`,
  `${HTTPS} https://evil.test/cb`,
  "http://127.0.0.1.evil.test/cb",
  "http://localhost:1111/cb",
  "http://localhost.evil.test/cb",
  "http://127.1/cb",
  "http://0x7f000001/cb",
  "http://2130706433/cb",
  "http://[::1]:1111/cb",
  "http://[::ffff:127.0.0.1]:1111/cb",
  "https://127.0.0.1:1111/cb",
  "http://u@127.0.0.1:2222/cb",
  "http://127.0.0.1:1111@evil.test/cb",
  "http://127.0.0.1:2222/cb/",
  "http://127.0.0.1:2222/cb?x=1",
  "http://127.0.0.1:2222/cb#x",
  "http://127.0.0.1:2222/CB",
  "http://127.0.0.1:2222",
  "http://127.0.0.1:0/cb",
  "http://127.0.0.1:65536/cb",
  "http://127.0.0.1:01111/cb",
  "http://127.0.0.1:/cb",
  "http://0.0.0.0:1111/cb",
];

describe(verifies("authorize.redirect_uri", "the redirect URI of an authorization request"), () => {
  it("RFC 6749 §3.1.2.3: the registered URIs are taken as they are", async () => {
    expect((await authorize(HTTPS)).status).toBe(200);
    expect((await authorize(LOOPBACK)).status).toBe(200);
  });

  it("RFC 6749 §3.1.2.3: with two registered, the request must name one", async () => {
    await expectRefusalPage(
      await ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: undefined })}`),
    );
  });

  it.each([1, 80, 2222, 65_535])("RFC 8252 §7.3: a loopback client may listen on port %d", async (port) => {
    const page = await authorize(`http://127.0.0.1:${port}/cb`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(`http://127.0.0.1:${port}/cb`);
  });

  it.each(LOOKALIKES)("RFC 9700 §4.1.3: %s is not registered", async (lookalike) => {
    const before = await objectIds();
    await expectRefusalPage(await authorize(lookalike));
    expect(await objectIds()).toEqual(before);
  });

  it("RFC 9700 §2.1: of hundreds of one-character mutants none is taken", { timeout: 120_000 }, async () => {
    const mutants = [
      ...mutantsOf(HTTPS),
      ...mutantsOf(LOOPBACK).filter((mutant) => !OTHER_PORT.test(mutant)),
    ];
    expect(mutants.length).toBeGreaterThan(300);
    const taken: string[] = [];
    for (const mutant of mutants) {
      const answer = await authorize(mutant);
      if (answer.status !== 400 || answer.headers.has("location")) taken.push(mutant);
      await answer.body?.cancel();
    }
    expect(taken).toEqual([]);
  });
});

describe(verifies("authorize.dangerous_schemes", "a redirect URI that should never have been stored"), () => {
  it.each([
    "javascript:alert(1)//https://client.example/",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://client.example/1",
    "file:///etc/passwd",
    "intent://x#Intent;scheme=https;end",
    "http://client.example/cb",
    "cursor://anysphere.cursor-mcp/oauth/callback",
  ])("RFC 9700 §4.11.1: %s, planted in storage, is not redirected to", async (uri) => {
    const { client_id: id } = await register();
    const changed = await Promise.all(
      (await listDurableObjectIds(env.REGISTRY)).map((shard) =>
        runInDurableObject(
          env.REGISTRY.get(shard),
          (_object, { storage }) =>
            storage.sql.exec("UPDATE clients SET redirect_uris = ? WHERE id = ?", JSON.stringify([uri]), id)
              .rowsWritten,
        ),
      ),
    );
    expect(changed.some((rows) => rows > 0)).toBe(true);
    await expectRefusalPage(await ask(`/authorize?${authorizationQuery(id, { redirect_uri: uri })}`));
    await expectRefusalPage(await ask(`/authorize?${authorizationQuery(id, { redirect_uri: undefined })}`));
  });
});
