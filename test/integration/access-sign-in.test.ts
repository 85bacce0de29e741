// People and admins who come through Cloudflare Access: what is recorded about a person, who is an admin, and how admin
// sessions end. The token itself: access-token.test.ts.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { env } from "cloudflare:workers";
import { createExecutionContext } from "cloudflare:test";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { connectionsOfPerson, peopleOfConnections } from "../../src/domain/people.ts";
import { encodeBase64Url, randomBytes } from "../../src/crypto/encoding.ts";
import { sweepKeys } from "../../src/domain/rotate-keys.ts";
import { openGateway } from "../../src/domain/gateway.ts";
import { ACCESS_HEADER, newAccessTeam, type AccessTeam } from "../support/access.ts";
import { clientSites } from "../support/client-site.ts";
import { everythingStored, recordLogs, rowsOf, secretsIn } from "../support/evidence.ts";
import {
  ADMIN_TOKEN,
  agreeAtGong,
  approve,
  authorizationQuery,
  leadsTo,
  ORIGIN,
  register,
  sealedRequest,
  SHARED_RESOURCE,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const BY = actorNamed("admin");

let team: AccessTeam;
let settings: Record<string, string>;

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
  team = await newAccessTeam(ADA);
  settings = { ...team.settings };
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A gateway as a person's browser meets it with Access in front: the token is on every request. */
function through(token: string, gateway: Ask = gatewayWith(settings)): Ask {
  return (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set(ACCESS_HEADER, token);
    return gateway(path, { ...init, headers });
  };
}

const browserOf = async (email: string): Promise<TestBrowser> =>
  new TestBrowser(through(await team.token(email)));

/** Through Access, consent and Gong; returns the callback's answer. */
async function connectThroughAccess(email: string): Promise<Response> {
  const { client_id: clientId } = await register();
  const browser = await browserOf(email);
  const gongUrl = await approve(browser, authorizationQuery(clientId));
  return browser.open(await agreeAtGong(gongUrl));
}

const domainGateway = () => openGateway({ ...env, ...settings }, createExecutionContext());

describe(verifies("access.people", "a person who connects through Access"), () => {
  it("gateway: the connection is found by the e-mail address, whatever its case, and by nobody else's", async () => {
    await gong.signIn("ada");
    expect((await connectThroughAccess("Ada@Example.com")).status).toBe(303);
    await gong.signIn("grace");
    await connectThroughAccess(GRACE);
    const gateway = domainGateway();
    const [adas, graces] = [
      await connectionsOfPerson(gateway, ADA),
      await connectionsOfPerson(gateway, GRACE),
    ];
    expect([adas.length, graces.length]).toEqual([1, 1]);
    expect(adas).not.toEqual(graces);
    expect(await connectionsOfPerson(gateway, "nobody@example.com")).toEqual([]);
    const people = await peopleOfConnections(gateway, [...adas, ...graces]);
    expect(Object.fromEntries(people)).toEqual({ [adas[0] ?? ""]: [ADA], [graces[0] ?? ""]: [GRACE] });
    const admin = new TestBrowser(gatewayWith(settings));
    await admin.post("/admin/sign-in", { token: ADMIN_TOKEN });
    const page = readText(await (await admin.open(`/admin/connections/${adas[0]}`)).text());
    expect(page).toContain(`Signed in through Cloudflare Access ${ADA}`);
    expect(page).not.toContain(GRACE);
  });

  it("gateway: the audit names the person, and the address is in the clear there and nowhere else", async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const logs = recordLogs();
    await connectThroughAccess(email);
    const [row, ...more] = (await rowsOf("ADMIN", "audit")).filter(({ actor }) => actor === email);
    expect(row).toMatchObject({ action: "connection.used" });
    expect(more).toEqual([]);
    const stored = await everythingStored();
    expect(stored.split(email)).toHaveLength(2);
    expect(secretsIn(logs.join("\n"), { email })).toEqual([]);
  });

  it("gateway: a person on shared access is in the audit, and the shared connection is not theirs", async () => {
    const admin = new TestBrowser(gatewayWith({}));
    await admin.post("/admin/sign-in", { token: ADMIN_TOKEN });
    const setup = readForms(await (await admin.open("/admin/setup")).text());
    const connect = setup.findLast(({ action }) => action.endsWith("setup/sign-in"));
    const led = await admin.post("/admin/setup/sign-in", Object.fromEntries(connect?.fields ?? []));
    await admin.open(await agreeAtGong(leadsTo(await led.text())));

    const person = await browserOf(GRACE);
    const { client_id: clientId } = await register();
    const page = await person.open(
      `/authorize?${authorizationQuery(clientId, { resource: SHARED_RESOURCE })}`,
    );
    const request = sealedRequest(await page.text());
    const waiting = await person.post("/authorize", { request, decision: "approve" });
    const path = new URL(waiting.headers.get("location") ?? "").pathname;
    const forms = readForms(await (await admin.open("/admin")).text());
    const form = forms.find(({ action }) => action.endsWith(path.split("/").at(-1) ?? "?"));
    await admin.post(form?.action ?? "", { ...Object.fromEntries(form?.fields ?? []), decision: "approve" });
    expect((await person.open(path)).headers.get("location")).toContain("code=gac_");
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({
      actor: GRACE,
      action: "connection.used",
    });
    const before = await connectionsOfPerson(domainGateway(), GRACE);
    const shared = (await rowsOf("ADMIN", "connections")).filter(
      ({ integration }) => integration === "shared",
    );
    expect(shared).toHaveLength(1);
    expect(before).not.toContain(shared[0]?.["id"]);
  });

  it("gateway: the key sweep seals addresses with the new key, and people are found as before", async () => {
    await connectThroughAccess(ADA);
    const fresh = `new:${encodeBase64Url(randomBytes(32))}`;
    const keysOf = (keys: string) =>
      openGateway({ ...env, ...settings, SEALING_KEYS: keys }, createExecutionContext());
    await sweepKeys(keysOf(`${fresh},${env.SEALING_KEYS}`), BY);
    const after = keysOf(fresh);
    const ids = await connectionsOfPerson(after, ADA);
    expect(ids.length).toBeGreaterThan(0);
    expect((await peopleOfConnections(after, ids)).get(ids[0] ?? "")).toContain(ADA);
    expect(await peopleOfConnections(domainGateway(), ids)).toEqual(new Map());
    // Back to the key that the other tests use.
    await sweepKeys(keysOf(`${env.SEALING_KEYS},${fresh}`), BY);
    expect((await peopleOfConnections(domainGateway(), ids)).get(ids[0] ?? "")).toContain(ADA);
  });

  it("ASVS 8.2.1: without Access no step in the browser goes on, and nothing is stored", async () => {
    const { client_id: clientId } = await register();
    const browser = await browserOf(ADA);
    const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    const request = sealedRequest(await page.text());
    const gateway = gatewayWith(settings);
    const around = new TestBrowser(gateway);
    for (const [name, value] of browser.cookies) around.cookies.set(name, value);
    const before = await everythingStored();
    const answers = [
      await around.open(`/authorize?${authorizationQuery(clientId)}`),
      await around.post("/authorize", { request, decision: "approve" }),
      await around.post("/authorize", { request, decision: "deny" }),
      await around.open(`/authorize/waiting/${"A".repeat(22)}`),
      await around.open("/authorize", { "x-http-method-override": "GET" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect(answers.flatMap((answer) => answer.headers.getSetCookie())).toEqual([]);
    expect(await everythingStored()).toBe(before);
    // The same form with the token goes on.
    expect((await browser.post("/authorize", { request, decision: "approve" })).status).toBe(200);
  });

  it("gateway: what clients call needs no Access: metadata, registration, tokens, MCP and the callback", async () => {
    const gateway = gatewayWith(settings);
    expect((await gateway("/.well-known/oauth-authorization-server")).status).toBe(200);
    expect((await gateway("/mcp", { method: "POST" })).status).toBe(401);
    const token = await gateway("/token", { method: "POST", body: new URLSearchParams({ grant_type: "x" }) });
    expect(await token.json()).toMatchObject({ error: "invalid_client" });
    expect((await gateway("/callback?code=c&state=s")).status).toBe(400);
    expect((await gateway("/")).status).toBe(200);
  });
});

async function signInByAccess(browser: TestBrowser): Promise<Response> {
  return browser.post("/admin/sign-in", { by: "access" });
}

async function adminThroughAccess(email = ADA): Promise<TestBrowser> {
  const browser = await browserOf(email);
  const answer = await signInByAccess(browser);
  if (answer.status !== 303) throw new Error(`Sign-in by Access answered ${answer.status}`);
  return browser;
}

const csrfOf = (html: string): string =>
  readForms(html)
    .flatMap(({ fields }) => fields)
    .find(([name]) => name === "csrf")?.[1] ?? "";

describe(verifies("access.admins", "who is an admin through Access"), () => {
  it("gateway: somebody in ADMIN_EMAILS is offered to sign in, and signs in by a button", async () => {
    const browser = await browserOf("ADA@example.com");
    const page = await browser.open("/admin");
    expect(page.status).toBe(401);
    expect(readText(await page.text())).toContain("you are ada@example.com, an admin");
    const answer = await signInByAccess(browser);
    expect(answer.status).toBe(303);
    expect((await browser.open("/admin")).status).toBe(200);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ actor: ADA, action: "session.opened" });
  });

  it("RFC 6530 §10.1: an address with another letter in the place of an admin's is not the admin's", async () => {
    settings = { ...settings, ADMIN_EMAILS: "kim@example.com" };
    expect((await signInByAccess(await browserOf("Kim@example.com"))).status).toBe(303);
    // The Kelvin sign, which Unicode folds to k.
    expect((await signInByAccess(await browserOf("\u212Aim@example.com"))).status).toBe(401);
  });

  it("ASVS 8.2.1: a person who may pass Access and is not listed is no admin, whatever they post", async () => {
    const browser = await browserOf(GRACE);
    expect(readText(await (await browser.open("/admin")).text())).toContain("not an admin of this gateway");
    const before = await rowsOf("ADMIN", "sessions");
    for (const fields of [{ by: "access" }, { by: "access", email: ADA }, { by: "access", token: "x" }]) {
      const answer = await browser.post("/admin/sign-in", fields);
      expect(answer.status).toBe(401);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await rowsOf("ADMIN", "sessions")).toEqual(before);
  });

  it("RFC 6749 §10.12: a post from another site signs nobody in", async () => {
    const browser = await browserOf(ADA);
    const answer = await browser.post(
      "/admin/sign-in",
      { by: "access" },
      { origin: "https://evil.test", "sec-fetch-site": "cross-site" },
    );
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it("gateway: the admin token stays a way in beside Access, until it is deleted from the settings", async () => {
    const browser = new TestBrowser(gatewayWith(settings));
    const page = readText(await (await browser.open("/admin")).text());
    expect(page).toContain("Cloudflare Access is not in front of this page");
    expect((await browser.post("/admin/sign-in", { token: ADMIN_TOKEN })).status).toBe(303);
    expect((await browser.open("/admin")).status).toBe(200);

    settings = { ...settings, ADMIN_TOKEN: "" };
    const without = new TestBrowser(gatewayWith(settings));
    expect(await (await without.open("/admin")).text()).not.toContain('name="token"');
    for (const token of [ADMIN_TOKEN, ""]) {
      expect((await without.post("/admin/sign-in", { token })).status).toBe(401);
    }
    without.cookies.set("__Host-admin", browser.cookies.get("__Host-admin") ?? "");
    expect((await without.open("/admin")).status).toBe(401);
    expect((await (await adminThroughAccess()).open("/admin")).status).toBe(200);
  });

  it("gateway: with Access on and nobody listed there is no sign-in at all, and the page says what to set", async () => {
    const gateway = gatewayWith({
      ...settings,
      ADMIN_EMAILS: "",
      ADMIN_TOKEN: "",
      GONG_SHARED_CLIENT_ID: "",
      GONG_SHARED_CLIENT_SECRET: "",
    });
    const browser = new TestBrowser(through(await team.token(ADA), gateway));
    const page = await browser.open("/admin");
    expect(page.status).toBe(404);
    expect(readText(await page.text())).toContain("ADMIN_EMAILS");
    expect((await signInByAccess(browser)).status).toBe(401);
  });

  it("gateway: a page at another address than PUBLIC_URL says so, since no form on it can work", async () => {
    const gateway = gatewayWith(settings);
    const page = readText(await (await gateway("https://elsewhere.test/admin")).text());
    expect(page).toContain(`not at the address in the settings, ${ORIGIN}`);
    expect(readText(await (await gateway("/admin")).text())).not.toContain("not at the address");
  });
});

describe(verifies("access.admin_session", "admin sessions that Access opened"), () => {
  it("ASVS 7.4.2: the session's cookie without Access, or with another admin's token, opens nothing", async () => {
    settings = { ...settings, ADMIN_EMAILS: `${ADA}, ${GRACE}` };
    const browser = await adminThroughAccess();
    const csrf = csrfOf(await (await browser.open("/admin")).text());
    const copies = [
      gatewayWith(settings),
      through(await team.token(GRACE)),
      through(await team.token(ADA, { exp: Math.floor(Date.now() / 1000) - 120 })),
      through(await team.token(ADA, { aud: "0".repeat(64) })),
    ];
    for (const ask of copies) {
      const thief = new TestBrowser(ask);
      for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
      expect((await thief.open("/admin")).status).toBe(401);
      expect((await thief.post("/admin/keys/sweep", { csrf })).status).toBe(401);
    }
    expect((await browser.post("/admin/keys/sweep", { csrf })).status).toBe(200);
  });

  it("ASVS 7.4.2: whoever leaves ADMIN_EMAILS is no admin from the next request on", async () => {
    const browser = await adminThroughAccess();
    const after = new TestBrowser(
      through(await team.token(ADA), gatewayWith({ ...settings, ADMIN_EMAILS: GRACE })),
    );
    for (const [name, value] of browser.cookies) after.cookies.set(name, value);
    expect((await after.open("/admin")).status).toBe(401);
    expect((await browser.open("/admin")).status).toBe(200);
  });

  it("ASVS 7.4.5: all admin sessions can be ended, one's own too, by a form that needs the session and its token", async () => {
    const browser = await adminThroughAccess();
    const other = new TestBrowser(gatewayWith(settings));
    await other.post("/admin/sign-in", { token: ADMIN_TOKEN });
    const html = await (await browser.open("/admin/sessions")).text();
    expect(readText(html)).toContain(ADA);
    expect(readText(html)).toContain("whoever knows the admin token");
    expect((await browser.post("/admin/sessions/end", { csrf: "A".repeat(43) })).status).toBe(403);
    const fromElsewhere = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
    expect((await browser.post("/admin/sessions/end", { csrf: csrfOf(html) }, fromElsewhere)).status).toBe(
      403,
    );
    expect((await other.open("/admin")).status).toBe(200);
    expect((await browser.post("/admin/sessions/end", { csrf: csrfOf(html) })).status).toBe(303);
    expect([(await browser.open("/admin")).status, (await other.open("/admin")).status]).toEqual([401, 401]);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ actor: ADA, action: "sessions.ended" });
    expect((await new TestBrowser(gatewayWith(settings)).open("/admin/sessions")).status).toBe(303);
  });

  it("ASVS 16.3.1: what such an admin does is in the audit under their address", async () => {
    const browser = await adminThroughAccess();
    const csrf = csrfOf(await (await browser.open("/admin")).text());
    await browser.post("/admin/keys/sweep", { csrf });
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ actor: ADA, action: "keys.swept" });
  });
});
