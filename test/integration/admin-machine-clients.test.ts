// /admin/machine-clients: an admin makes a client for a machine, its secret is shown once, it gets tokens for shared
// access, and ending it ends them. RFC 6749 §2.3.1 and §4.4, RFC 7523 §2.2.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { newSigner, signText, type Signer } from "../support/assertions.ts";
import { clientSites, newDocumentUrl } from "../support/client-site.ts";
import { DAY } from "../support/connection.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, call, TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { accessTokenOf, askAsMachine, askBySignature, basic } from "../support/machine.ts";
import { expectOAuthError } from "../support/refusals.ts";

const PATH = "/admin/machine-clients";
const SHARED = { path: "/shared/mcp" };
const SCOPES = ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"];

let admin: TestBrowser;
let signer: Signer;

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
  signer = await newSigner("ES256");
  await connectSharedAs(admin);
});
beforeEach(() => clientSites.reset());
afterEach(() => {
  vi.useRealTimers();
});

const GOOD = {
  name: "Nightly report",
  ...Object.fromEntries(SCOPES.map((scope) => [`scope:${scope}`, "1"])),
  proof: "secret",
  days: "90",
};

async function csrf(browser = admin): Promise<string> {
  const html = await (await browser.open(PATH)).text();
  const fields = readForms(html).flatMap((form) => form.fields);
  const [, value] = fields.find(([name]) => name === "csrf") ?? [];
  if (value === undefined) throw new Error("The page has no form");
  return value;
}

let count = 0;

/** Posts the form by a name of its own, with changes; an empty value leaves a field out. */
async function make(changes: Record<string, string> = {}): Promise<Response> {
  count += 1;
  const name = `${GOOD.name} ${count}`;
  const fields = Object.entries({ ...GOOD, name, csrf: await csrf(), ...changes });
  return admin.post(PATH, Object.fromEntries(fields.filter(([, value]) => value !== "")));
}

const machines = () => Promise.all([rowsOf("ADMIN", "machine_clients"), rowsOf("ADMIN", "audit")]);

interface Made {
  readonly clientId: string;
  readonly secret: string | undefined;
}

async function made(changes: Record<string, string> = {}): Promise<Made> {
  const answer = await make(changes);
  const text = readText(await answer.text());
  const clientId = /gmc_[A-Za-z0-9_-]{22}/.exec(text)?.[0];
  if (answer.status !== 201 || clientId === undefined)
    throw new Error(`Making answered ${answer.status}: ${text}`);
  return { clientId, secret: /gcs_[A-Za-z0-9_-]{43}/.exec(text)?.[0] };
}

const tokenFor = ({ clientId, secret = "" }: Made): Promise<Response> =>
  askAsMachine(ask, {}, basic(clientId, secret));

async function end(clientId: string): Promise<Response> {
  return admin.post(`${PATH}/${clientId}/end`, { csrf: await csrf() });
}

describe(verifies("machine.made_up", "a flood of made-up machine clients"), () => {
  it("OWASP API4:2023: after 20 in a second they get 503, one that was there before its token; then all go on", async () => {
    const client = await made();
    const other = await made();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5_000 });
    expect((await tokenFor(client)).status).toBe(200);
    const madeUp = (n: number): Promise<Response> =>
      tokenFor({ clientId: `gmc_${String(n).padStart(22, "A")}`, secret: "made up" });
    const statuses: number[] = [];
    for (let n = 0; n < 40; n += 1) statuses.push((await madeUp(n)).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(20);
    expect(statuses.slice(20)).toEqual(Array.from({ length: 20 }, () => 503));
    const refused = await tokenFor(other);
    expect(refused.headers.get("retry-after")).toBe("1");
    await expectOAuthError(refused, "temporarily_unavailable", 503);
    expect((await tokenFor(client)).status).toBe(200);
    vi.setSystemTime(Date.now() + 1_000);
    expect((await tokenFor(other)).status).toBe(200);
    await expectOAuthError(await madeUp(0), "invalid_client", 401);
  });
});

describe(verifies("machine.admin", "a machine client from its making to its end"), () => {
  it("RFC 6749 §4.4: is made with a secret, gets a token and an answer, and is ended at once", async () => {
    const client = await made();
    const token = await accessTokenOf(await tokenFor(client));
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(200);

    expect((await end(client.clientId)).status).toBe(303);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    await expectOAuthError(await tokenFor(client), "invalid_client", 401);
    expect(readText(await (await admin.open(`${PATH}?q=${client.clientId}`)).text())).toContain("Ended");
    const audit = (await rowsOf("ADMIN", "audit")).filter((row) => row["target"] === client.clientId);
    expect(audit.map(({ actor, action }) => [actor, action])).toEqual([
      ["admin", "machine_client.created"],
      ["admin", "machine_client.ended"],
    ]);
  });

  it("gateway: ended as an agent of the connection, the machine client ends with it", async () => {
    const client = await made();
    const token = await accessTokenOf(await tokenFor(client));
    const [connection] = await rowsOf("ADMIN", "connections");
    const [grant] = (await rowsOf("CONNECTIONS", "grants")).filter(
      (row) => row["client_id"] === client.clientId,
    );
    const path = `/admin/connections/${connection?.["id"] as string}/agents/${grant?.["id"] as string}/end`;
    expect((await admin.post(path, { csrf: await csrf() })).status).toBe(303);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    await expectOAuthError(await tokenFor(client), "invalid_client", 401);
  });

  it("gateway: ended everywhere, as any client can be, the machine client ends for good", async () => {
    const client = await made();
    const token = await accessTokenOf(await tokenFor(client));
    const fields = { csrf: await csrf(), id: client.clientId };
    expect((await admin.post("/admin/client/end", fields)).status).toBe(303);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    await expectOAuthError(await tokenFor(client), "invalid_client", 401);
  });

  it("OWASP ASVS 6.5.1: its secret is shown once, never stored, and the page is kept by no cache", async () => {
    const answer = await make();
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const secret = /gcs_[A-Za-z0-9_-]{43}/.exec(await answer.text())?.[0] ?? "none";
    expect(await everythingStored()).not.toContain(secret);
    expect(await (await admin.open(PATH)).text()).not.toContain(secret);
  });

  it("RFC 6749 §2.3.1: its secret works in the form too, and another client's does not", async () => {
    const client = await made();
    const other = await made();
    const fields = (secret = "") => ({ client_id: client.clientId, client_secret: secret });
    expect((await askAsMachine(ask, fields(client.secret), {})).status).toBe(200);
    await expectOAuthError(await askAsMachine(ask, fields(other.secret), {}), "invalid_client", 401);
  });

  it("RFC 7523 §2.2: one with pasted keys signs, and has no secret", async () => {
    const client = await made({ proof: "keys", jwks: JSON.stringify({ keys: [signer.publicJwk] }) });
    expect(client.secret).toBeUndefined();
    expect((await askBySignature(ask, signer, client.clientId)).status).toBe(200);
    const stranger = await newSigner("ES256");
    await expectOAuthError(await askBySignature(ask, stranger, client.clientId), "invalid_client", 401);
    await expectOAuthError(await tokenFor({ ...client, secret: "guess" }), "invalid_client", 401);
  });

  it("RFC 7591 §2: one with a key set at a URL is verified with what is there", async () => {
    const uri = newDocumentUrl().replace("client.json", "jwks.json");
    await clientSites.serve(uri, { keys: [signer.publicJwk] });
    const client = await made({ proof: "key_set_url", jwks_uri: uri });
    expect((await askBySignature(ask, signer, client.clientId)).status).toBe(200);
    expect(await clientSites.asked(uri)).toHaveLength(1);
  });

  it("RFC 6749 §3.3: it may have the scopes that the admin chose, and no others", async () => {
    const client = await made({ "scope:mcp:ai-briefer:read": "", "scope:mcp:ai-assistant:read": "" });
    expect(await (await tokenFor(client)).json()).toMatchObject({ scope: "mcp:ai-ask:read" });
    const headers = basic(client.clientId, client.secret);
    const wider = await askAsMachine(ask, { scope: "mcp:ai-briefer:read" }, headers);
    await expectOAuthError(wider, "invalid_scope");
  });

  it("gateway: at its end neither the client nor a token of it works any more", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const client = await made({ days: "30" });
    vi.setSystemTime(start + 30 * DAY * 1000 - 10_000);
    const late = await (await tokenFor(client)).json<{ access_token: string; expires_in: number }>();
    expect(late.expires_in).toBeLessThanOrEqual(10);
    vi.setSystemTime(start + 30 * DAY * 1000);
    await expectOAuthError(await tokenFor(client), "invalid_client", 401);
    expect((await call(late.access_token, ASK_ACCOUNT, SHARED)).status).toBe(401);
  });

  it("gateway: a request that was on its way when the client was ended brings no token that works", async () => {
    for (let round = 0; round < 10; round += 1) {
      const client = await made();
      const token = await csrf();
      const [answer] = await Promise.all([
        tokenFor(client),
        admin.post(`${PATH}/${client.clientId}/end`, { csrf: token }),
      ]);
      const status =
        answer.status === 200
          ? (await call(await accessTokenOf(answer), ASK_ACCOUNT, SHARED)).status
          : answer.status;
      expect([400, 401]).toContain(status);
    }
  });

  it("gateway: the list is searched by name and id, says who made it, and when it was last used", async () => {
    const client = await made({ name: "Weekly digest" });
    await tokenFor(client);
    const found = readText(await (await admin.open(`${PATH}?q=weekly`)).text());
    expect(found).toContain("Weekly digest");
    expect(found).not.toContain("Nightly report");
    expect(found).toMatch(/known by a secret, made .* UTC by admin/);
    expect(readText(await (await admin.open(`${PATH}?q=nothing-like-it`)).text())).toContain(
      "Nothing matches.",
    );
  });

  it("gateway: a form that is sent ten times at once makes one machine client; its name is free again after the end", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => make({ name: "Sent twice" })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array(9).fill(400),
    ]);
    const refused = answers.find(({ status }) => status === 400);
    expect(readText((await refused?.text()) ?? "")).toContain("has this name already");
    const rows = (await rowsOf("ADMIN", "machine_clients")).filter(({ name }) => name === "Sent twice");
    expect(rows).toHaveLength(1);
    const ended = await admin.post(`${PATH}/${rows[0]?.["id"] as string}/end`, { csrf: await csrf() });
    expect(ended.status).toBe(303);
    expect((await make({ name: "Sent twice" })).status).toBe(201);
  });

  it.each([
    ["no name", { name: "" }, "Give it a name"],
    ["a name that nobody can see", { name: "\u200b\u202e" }, "Give it a name"],
    ["no scope", Object.fromEntries(SCOPES.map((scope) => [`scope:${scope}`, ""])), "Choose at least one"],
    ["no proof", { proof: "" }, "Choose how it proves itself"],
    ["a proof that there is not", { proof: "none" }, "Choose how it proves itself"],
    ["no keys", { proof: "keys" }, "Paste a JWK Set"],
    ["keys that are no JSON", { proof: "keys", jwks: "{" }, "Paste a JWK Set"],
    ["a key set over http", { proof: "key_set_url", jwks_uri: "http://keys.test/jwks.json" }, "https URL"],
    [
      "a key set at an address",
      { proof: "key_set_url", jwks_uri: "https://10.0.0.1/jwks.json" },
      "https URL",
    ],
    [
      "a key set of our own",
      { proof: "key_set_url", jwks_uri: "https://gateway.test/jwks.json" },
      "https URL",
    ],
    ["an end that is no choice", { days: "100000" }, "Choose when it ends"],
  ])("gateway: with %s nothing is made, and the page says what to mend", async (_, changes, words) => {
    const before = (await rowsOf("ADMIN", "machine_clients")).length;
    const answer = await make(changes);
    expect(answer.status).toBe(400);
    expect(readText(await answer.text())).toContain(words);
    expect(await rowsOf("ADMIN", "machine_clients")).toHaveLength(before);
  });

  it("RFC 7517 §9.2: a key set with a private key in it is refused", async () => {
    const jwks = JSON.stringify({ keys: [{ ...signer.publicJwk, d: "AAAA" }] });
    expect((await make({ proof: "keys", jwks })).status).toBe(400);
    expect((await make({ proof: "keys", jwks: JSON.stringify({ keys: [signer.publicJwk] }) })).status).toBe(
      201,
    );
  });

  it("RFC 7523 §3: a token by the signature of another purpose is refused", async () => {
    const { clientId } = await made({ proof: "keys", jwks: JSON.stringify({ keys: [signer.publicJwk] }) });
    const assertion = await signText(signer, JSON.stringify({ iss: clientId, sub: clientId }));
    const answer = await askBySignature(ask, signer, clientId, { client_assertion: assertion });
    await expectOAuthError(answer, "invalid_client", 401);
  });
});

describe(verifies("machine.admin_only", "who may do it"), () => {
  it("OWASP ASVS 8.2.1: without an admin session there is no page, and no form is taken", async () => {
    const stranger = new TestBrowser();
    const page = await stranger.open(PATH);
    expect([page.status, page.headers.get("location")]).toEqual([303, "https://gateway.test/admin"]);
    const before = await machines();
    const form = { ...GOOD, csrf: await csrf() };
    expect((await stranger.post(PATH, form)).status).toBe(401);
    expect(await machines()).toEqual(before);
  });

  it("OWASP ASVS 3.5.1: a form without the admin's own token, or from another site, makes and ends nothing", async () => {
    const client = await made();
    const token = await csrf();
    const paths = [PATH, `${PATH}/${client.clientId}/end`];
    for (const path of paths) {
      expect((await admin.post(path, { ...GOOD, csrf: "forged" })).status).toBe(403);
      const elsewhere = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
      expect((await admin.post(path, { ...GOOD, csrf: token }, elsewhere)).status).toBe(403);
    }
    expect((await tokenFor(client)).status).toBe(200);
  });

  it("gateway: ending twice, or ending what is not there, says so and writes nothing", async () => {
    const client = await made();
    await end(client.clientId);
    expect((await end(client.clientId)).status).toBe(404);
    const before = await machines();
    expect((await end("gmc_AAAAAAAAAAAAAAAAAAAAAA")).status).toBe(404);
    expect(await machines()).toEqual(before);
  });

  it("gateway: an id that nobody made proves nothing and writes nothing", async () => {
    const before = await everythingStored();
    const answer = await askAsMachine(ask, {}, basic("gmc_AAAAAAAAAAAAAAAAAAAAAA", "gcs_guess"));
    await expectOAuthError(answer, "invalid_client", 401);
    expect(await everythingStored()).toBe(before);
  });
});
