// The admin's session from sign-in to sign-out, and what an admin does in it.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { act, adminBrowser, adminForm, adminPage, newestConnection, signInAs } from "../support/admin.ts";
import { everythingStored, objectIds, rowsOf, secretsIn } from "../support/evidence.ts";
import {
  ADMIN_TOKEN,
  ask,
  ASK_ACCOUNT,
  askToken,
  call,
  ORIGIN,
  TestBrowser,
  TOOLS_LIST,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { gatewayWith } from "../support/settings.ts";

const COOKIE = "__Host-admin";

/** A day later for each test, so that no address is still waiting for an earlier one. */
let days = 0;

beforeEach(async () => {
  days += 1;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * 86_400_000 });
  await gong.reset();
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): unknown => vi.setSystemTime(Date.now() + seconds * 1000);

const isSignedIn = async (session: string | undefined): Promise<boolean> =>
  (await ask("/admin/sessions", { headers: { cookie: `${COOKIE}=${session}` } })).status === 200;

describe(
  verifies("admin.session", "an admin session is random, ends on the server, and is stored hashed"),
  () => {
    it("RFC 6265bis §4.1.3: the cookie is __Host-, Secure, HttpOnly, Strict and for the whole origin", async () => {
      const answer = await signInAs(new TestBrowser(), ADMIN_TOKEN, "192.0.2.1");
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")).toBe(`${ORIGIN}/admin`);
      const [cookie = "", ...more] = answer.headers.getSetCookie();
      expect(more).toEqual([]);
      const [pair, ...attributes] = cookie.split("; ");
      expect(pair).toMatch(/^__Host-admin=gad_[A-Za-z0-9_-]{124}$/);
      expect(new Set(attributes)).toEqual(
        new Set(["Max-Age=28800", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"]),
      );
    });

    it("OWASP API4:2023: a made-up, changed or foreign cookie is refused before the AdminObject is asked", async () => {
      const session = (await adminBrowser()).cookies.get(COOKIE) ?? "";
      const asked = (): never => {
        throw new Error("The AdminObject was asked");
      };
      const gateway = gatewayWith({}, { ADMIN: { getByName: asked } as never });
      const open = async (cookie: string): Promise<number> =>
        (await gateway("/admin/sessions", { headers: { cookie: `${COOKIE}=${cookie}` } })).status;
      const made = [
        "A".repeat(43),
        `gad_${"A".repeat(124)}`,
        session.slice(0, -1),
        session.slice(0, 60) + (session[60] === "A" ? "B" : "A") + session.slice(61),
        session.replace("gad_", "gas_"),
      ];
      for (const cookie of made) expect([cookie, await open(cookie)]).toEqual([cookie, 303]);
      expect(await open(session)).toBe(500);
    });

    it("ASVS 7.2.4: every sign-in makes a new session, and ends the one the browser had", async () => {
      const browser = await adminBrowser();
      const first = browser.cookies.get(COOKIE);
      await signInAs(browser, ADMIN_TOKEN, "192.0.2.1");
      const second = browser.cookies.get(COOKIE);
      expect(second).not.toBe(first);
      expect(await isSignedIn(first)).toBe(false);
      expect(await isSignedIn(second)).toBe(true);
    });

    it("ASVS 7.2.4: a session id that was planted before the sign-in opens nothing after it", async () => {
      const browser = new TestBrowser();
      const planted = "A".repeat(43);
      browser.cookies.set(COOKIE, planted);
      await signInAs(browser, ADMIN_TOKEN, "192.0.2.1");
      expect(browser.cookies.get(COOKIE)).not.toBe(planted);
      expect(await isSignedIn(planted)).toBe(false);
    });

    it("ASVS 7.4.1: signing out ends the session on the server, also for a copied cookie", async () => {
      const browser = await adminBrowser();
      const copied = browser.cookies.get(COOKIE);
      const other = await adminBrowser();
      const answer = await act(browser, /sign-out$/);
      expect(answer.status).toBe(303);
      expect(browser.cookies.get(COOKIE)).toBeUndefined();
      expect(await isSignedIn(copied)).toBe(false);
      expect(await isSignedIn(other.cookies.get(COOKIE))).toBe(true);
    });

    it("ASVS 7.3.1: thirty idle minutes end a session; a request in between keeps it", async () => {
      const session = (await adminBrowser()).cookies.get(COOKIE);
      pass(29 * 60);
      expect(await isSignedIn(session)).toBe(true);
      pass(29 * 60);
      expect(await isSignedIn(session)).toBe(true);
      pass(31 * 60);
      expect(await isSignedIn(session)).toBe(false);
    });

    it("ASVS 7.3.2: eight hours end a session, however busy", async () => {
      const session = (await adminBrowser()).cookies.get(COOKIE);
      for (let minutes = 0; minutes < 8 * 60; minutes += 20) {
        expect(await isSignedIn(session)).toBe(true);
        pass(20 * 60);
      }
      expect(await isSignedIn(session)).toBe(false);
    });

    it("ASVS 7.1.2: the eleventh session ends the oldest", async () => {
      const sessions: Array<string | undefined> = [];
      for (let at = 0; at < 11; at += 1) {
        sessions.push((await adminBrowser()).cookies.get(COOKIE));
        pass(1);
      }
      const live = await Promise.all(sessions.map((session) => isSignedIn(session)));
      expect(live).toEqual([false, ...Array.from({ length: 10 }, () => true)]);
    });

    it("ASVS 11.4.1: neither the session nor ADMIN_TOKEN is stored as it is", async () => {
      const session = (await adminBrowser()).cookies.get(COOKIE) ?? "";
      expect(secretsIn(await everythingStored(), { session, token: ADMIN_TOKEN })).toEqual([]);
    });
  },
);

describe(verifies("admin.lock_out", "guessing slows down address by address"), () => {
  const guess = (address: string): Promise<Response> => signInAs(new TestBrowser(), "wrong", address);

  it("ASVS 6.3.1: after five wrong tokens an address waits, ever longer, and an honest admin elsewhere does not", async () => {
    for (let tries = 0; tries < 5; tries += 1) expect((await guess("198.51.100.7")).status).toBe(401);
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      await guess("198.51.100.7");
      const refused = await guess("198.51.100.7");
      expect(refused.status).toBe(429);
      waits.push(Number(refused.headers.get("retry-after")));
      pass(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    expect((await signInAs(new TestBrowser(), ADMIN_TOKEN, "192.0.2.5")).status).toBe(303);
  });

  it("RFC 4291 §2.5.4: another address of the same IPv6 /64 is the same guesser, one of the next /64 is not", async () => {
    for (let tries = 1; tries <= 5; tries += 1) {
      expect((await guess(`2001:db8:0:1::${tries}`)).status).toBe(401);
    }
    await guess("2001:db8:0:1::6");
    expect((await guess("2001:db8:0:1::7")).status).toBe(429);
    expect((await guess("2001:db8:0:2::1")).status).toBe(401);
  });

  it("ASVS 6.3.1: while it waits, the right token does not help either; afterwards it does", async () => {
    for (let tries = 0; tries < 6; tries += 1) await guess("198.51.100.8");
    const locked = await signInAs(new TestBrowser(), ADMIN_TOKEN, "198.51.100.8");
    expect(locked.status).toBe(429);
    expect(locked.headers.getSetCookie()).toEqual([]);
    pass(Number(locked.headers.get("retry-after")));
    expect((await signInAs(new TestBrowser(), ADMIN_TOKEN, "198.51.100.8")).status).toBe(303);
  });

  it("ASVS 6.3.1: forty guesses at once get no more tries than forty in a row", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess("198.51.100.9")));
    const tried = answers.filter(({ status }) => status === 401).length;
    expect(tried).toBeLessThanOrEqual(6);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40 - tried);
  });

  it.each([
    ["empty", ""],
    ["almost right", ADMIN_TOKEN.slice(0, -1)],
    ["right, with a space", `${ADMIN_TOKEN} `],
    ["right, in upper case", ADMIN_TOKEN.toUpperCase()],
    ["very long", ADMIN_TOKEN.repeat(50)],
  ])("ASVS 6.3.8: a token that is %s gets the same page as any wrong one", async (_, token) => {
    const [wrong, other] = [
      await guess("192.0.2.60"),
      await signInAs(new TestBrowser(), token, "192.0.2.61"),
    ];
    expect(other.status).toBe(401);
    expect(readText(await other.text())).toBe(readText(await wrong.text()));
  });
});

describe(verifies("admin.acts", "what an admin does takes effect at once and is in the audit"), () => {
  async function endFirstConnection(browser: TestBrowser): Promise<Response> {
    return act(browser, /\/connections\/[^/]+\/end$/, {}, await newestConnection(browser));
  }

  it("gateway: ending a connection stops its clients at once, and deletes Gong's tokens", async () => {
    const browser = await adminBrowser();
    const { clientId, tokens } = await connectAs("ada");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await endFirstConnection(browser)).status).toBe(303);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: clientId,
      refresh_token: tokens.refresh_token,
    });
    expect(refreshed.status).toBe(400);
    pass(10);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    const [row] = await rowsOf("CONNECTIONS", "connection");
    expect(row).toMatchObject({ gong_access_token_sealed: null, gong_refresh_token_sealed: null });
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({
      actor: "admin",
      action: "connection.ended",
    });
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: the person can connect again; the ended client stays ended", async () => {
    const browser = await adminBrowser();
    const ended = await connectAs("grace");
    await endFirstConnection(browser);
    const again = await connectAs("grace");
    expect((await call(again.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await call(ended.tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
  });

  it("gateway: ending one agent of a connection stops it at once, and the person's others go on", async () => {
    const browser = await adminBrowser();
    const [kept, ended] = [await connectAs("ada"), await connectAs("ada")];
    const path = await newestConnection(browser, ended.clientId);
    const html = await (await browser.open(path)).text();
    const at = html.indexOf(ended.clientId);
    const [, action = ""] = /action="([^"]+\/agents\/[^"]+\/end)"/.exec(html.slice(at)) ?? [];
    const { csrf = "" } = (await adminForm(browser, /sign-out$/)).fields;
    expect((await browser.post(action, { csrf })).status).toBe(303);
    expect((await call(ended.tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect((await call(kept.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ actor: "admin", action: "agent.ended" });
    expect((await browser.post(action, { csrf })).status).toBe(404);
  });

  it("gateway: ending an agent key on the connection's page revokes it, with an audit row", async () => {
    const browser = await adminBrowser();
    const { clientId } = await connectAs("ada");
    const path = await newestConnection(browser, clientId);
    const connection = env.CONNECTIONS.getByName(decodeURIComponent(path.split("/").at(-1) ?? ""));
    const key = { hash: "h", kid: "k1", name: "Nightly", scope: "mcp:ai-ask:read", tools: undefined };
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    expect(await connection.createAgentKey({ ...key, id: "key-1", createdBy: "admin", expiresAt })).toBe(
      "created",
    );
    expect((await act(browser, /\/keys\/key-1\/revoke$/, {}, path)).status).toBe(303);
    expect(await connection.listAgentKeys()).toMatchObject([
      { id: "key-1", state: "revoked", revokedBy: "admin" },
    ]);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({
      action: "agent_key.revoked",
      target: "key-1",
    });
  });

  it("ASVS 16.3.1: an id that does not exist is 404, makes no object and no audit row", async () => {
    const browser = await adminBrowser();
    const { csrf = "" } = (await adminForm(browser, /sign-out$/)).fields;
    const before = [await objectIds(), await rowsOf("ADMIN", "audit")];
    for (const id of ["unknown", "../admin", "admin", "A".repeat(43), "%00", "' OR 1=1 --"]) {
      const answer = await browser.post(`/admin/connections/${encodeURIComponent(id)}/end`, { csrf });
      expect(answer.status).toBe(404);
      const decided = await browser.post(`/admin/approvals/${encodeURIComponent(id)}`, {
        csrf,
        decision: "approve",
      });
      expect(decided.status).toBe(409);
    }
    expect([await objectIds(), await rowsOf("ADMIN", "audit")]).toEqual(before);
  });

  it("gateway: the page shows the redirect URI to register, and no secret", async () => {
    const browser = await adminBrowser();
    const { tokens } = await connectAs("ada");
    const setup = await adminPage(browser, "/admin/setup");
    expect(setup).toContain(`${ORIGIN}/callback`);
    const html = setup + (await adminPage(browser));
    const issued = (await gong.ledger()).filter((entry) => entry.kind === "tokens_issued");
    const secrets = {
      ADMIN_TOKEN: ADMIN_TOKEN,
      "Gong's client secret": "per:sonal+secret%/1",
      "the shared client secret": "sha:red+secret%/1",
      "the access token": tokens.access_token,
      "the refresh token": tokens.refresh_token,
      "Gong's access token": issued.at(-1)?.accessToken ?? "",
      "Gong's refresh token": issued.at(-1)?.refreshToken ?? "",
      "the session": browser.cookies.get(COOKIE) ?? "",
    };
    expect(secretsIn(html, secrets)).toEqual([]);
  });
});

describe(verifies("admin.settings", "without a good ADMIN_TOKEN there is no admin"), () => {
  it.each([undefined, "short", "admin-token-of-23-chars"])(
    "ASVS 13.3.1: ADMIN_TOKEN %j opens nothing",
    async (token) => {
      const gateway = gatewayWith({ ADMIN_TOKEN: token ?? "" });
      const browser = new TestBrowser(gateway);
      for (const given of ["", token ?? "", "undefined", "null", ADMIN_TOKEN]) {
        const answer = await signInAs(browser, given, "192.0.2.70");
        expect(answer.status).toBe(503);
        expect(browser.cookies.size).toBe(0);
      }
    },
  );
});
