// Shared access end to end: an admin connects it once, a client waits for an admin, and nobody gets it in another way.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  adminBrowser,
  adminForm,
  adminPage,
  askForShared,
  connectSharedAs,
  decide,
  waitForShared,
  type Waiting,
} from "../support/admin.ts";
import { rowsOf } from "../support/evidence.ts";
import { ASK_ACCOUNT, ask, call, leadsTo, ORIGIN, redeem, TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText, readRefresh } from "../support/html.ts";
import { atGong, connectAs, INITIALIZE } from "../support/mcp.ts";
import { expectRefusalPage } from "../support/refusals.ts";

const COMPANY = "CANARY-company-2b9d41";
const SHARED = { path: "/shared/mcp" };
let admin: TestBrowser;

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
});
beforeEach(() => gong.reset());
afterEach(() => {
  vi.useRealTimers();
});

const formOf = (path: string): RegExp => new RegExp(`/approvals/${path.split("/").at(-1)}$`);

/** What the client is sent once an admin decided. */
async function outcome({ browser, path }: Waiting): Promise<URL> {
  const answer = await browser.open(path);
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`The waiting page answered ${answer.status} without a redirect`);
  return new URL(location);
}

async function approvedTokens(waiting: Waiting): Promise<string> {
  const { searchParams } = await outcome(waiting);
  return (await redeem(waiting.clientId, searchParams.get("code") ?? "")).access_token;
}

describe(
  verifies("shared.not_connected", "before an admin connected it, shared access is refused in words"),
  () => {
    it("gateway: a person who approves is told that an admin must connect it, and no request is queued", async () => {
      const { browser } = { browser: await adminBrowser("192.0.2.9") };
      const { answer } = await askForShared(browser);
      expect(await expectRefusalPage(answer)).toContain("Shared access is not set up yet");
      expect(await rowsOf("ADMIN", "approvals")).toEqual([]);
    });

    it("gateway: when Gong refuses the admin, nothing is connected and the page says so", async () => {
      await gong.knobs({ authorizePage: "deny" });
      const answer = await connectSharedAs(admin);
      const result = await admin.open(leadsTo(await answer.text()).href);
      expect(readText(await result.text())).toContain("Gong did not grant access");
      expect((await rowsOf("CONNECTIONS", "connection")).filter((row) => row["access"] === "shared")).toEqual(
        [],
      );
    });
  },
);

describe(
  verifies("shared.story", "an admin connects, a client waits, an admin approves, the client is answered"),
  () => {
    it("gateway: the whole story, with the same code on both pages and one visit to Gong", async () => {
      const connected = await connectSharedAs(admin);
      expect(leadsTo(await connected.text()).href).toBe(`${ORIGIN}/admin/setup`);
      const waiting = await waitForShared({ client_name: "Forecast bot" });
      const page = await waiting.browser.open(waiting.path);
      expect(page.status).toBe(200);
      expect(page.headers.get("cache-control")).toBe("no-store");
      const code = /\b[A-Z0-9]{6}\b/.exec(readText(await page.text()))?.[0] ?? "none";
      const seen = readText(await adminPage(admin));
      expect(seen).toContain(code);
      expect(seen).toContain("Forecast bot");
      const visits = (await gong.requests()).filter(({ path }) => path.includes("authorize")).length;
      expect((await decide(admin, waiting, "approve")).status).toBe(303);
      const token = await approvedTokens(waiting);
      const answer = await (await call(token, ASK_ACCOUNT, SHARED)).text();
      expect(answer).toContain(COMPANY);
      expect(answer).not.toContain("CANARY-ada");
      expect((await gong.requests()).filter(({ path }) => path.includes("authorize"))).toHaveLength(visits);
      expect(await gong.credits()).toBe(1);
    });

    it("RFC 8707 §2: a token for shared access opens /shared/mcp and not /mcp", async () => {
      await connectSharedAs(admin);
      const waiting = await waitForShared();
      await decide(admin, waiting, "approve");
      const token = await approvedTokens(waiting);
      expect((await call(token, ASK_ACCOUNT)).status).toBe(401);
      expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(200);
    });

    it("gateway: a request by the admin's own browser needs no second approval, and is in the audit", async () => {
      await connectSharedAs(admin);
      const { clientId, answer } = await askForShared(admin);
      // CSP3 §6.4.2: a browser would not follow the form's redirects to the client, so a page leads on.
      expect(answer.status).toBe(200);
      const path = new URL(readRefresh(await answer.text()) ?? "").pathname;
      expect(await rowsOf("ADMIN", "approvals")).toEqual([]);
      const token = await approvedTokens({ clientId, browser: admin, path });
      expect(await (await call(token, ASK_ACCOUNT, SHARED)).text()).toContain(COMPANY);
      const acts = (await rowsOf("ADMIN", "audit")).filter((row) => row["cause"] === "admin");
      expect(acts.at(-1)).toMatchObject({
        actor: "admin",
        action: "approval.approved",
        target: path.split("/").at(-1),
      });
    });

    it("MCP 2025-11-25: sessions of the shared endpoint are not those of the personal one", async () => {
      await gong.knobs({ sessions: true });
      await connectSharedAs(admin);
      const waiting = await waitForShared();
      await decide(admin, waiting, "approve");
      const shared = await approvedTokens(waiting);
      const { tokens } = await connectAs("ada");
      const began = await call(shared, INITIALIZE, SHARED);
      await began.text();
      const headers = { "mcp-session-id": began.headers.get("mcp-session-id") ?? "" };
      expect((await call(tokens.access_token, ASK_ACCOUNT, { headers })).status).toBe(404);
      expect((await call(shared, ASK_ACCOUNT, { ...SHARED, headers })).status).toBe(200);
    });
  },
);

describe(verifies("shared.decided_by_admin", "only an admin's approval in time gives access"), () => {
  it("RFC 6749 §4.1.2.1: denied: the client is told access_denied, and no grant exists", async () => {
    await connectSharedAs(admin);
    const grants = (await rowsOf("CONNECTIONS", "grants")).length;
    const waiting = await waitForShared();
    await decide(admin, waiting, "deny");
    const { searchParams } = await outcome(waiting);
    expect(searchParams.get("error")).toBe("access_denied");
    expect(searchParams.get("state")).toBe("client-state");
    expect(searchParams.get("iss")).toBe(ORIGIN);
    expect(searchParams.get("code")).toBeNull();
    expect(await rowsOf("CONNECTIONS", "grants")).toHaveLength(grants);
  });

  it.each([
    ["203.0.113.77", "203.0.113.0/24"],
    ["2001:db8:1:2::3", "2001:db8:1::/48"],
    ["2001:0DB8::1", "2001:db8:0::/48"],
    [undefined, "unknown"],
  ])("gateway: requests from %s are counted as those of %s", async (address, network) => {
    await connectSharedAs(admin);
    const headers = address === undefined ? {} : { "cf-connecting-ip": address };
    const browser = new TestBrowser((path, init = {}) =>
      ask(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } }),
    );
    const { answer } = await askForShared(browser);
    const path = new URL(answer.headers.get("location") ?? "").pathname;
    expect(await rowsOf("ADMIN", "approvals")).toEqual([expect.objectContaining({ asked_from: network })]);
    await decide(admin, { path }, "deny");
  });

  it("gateway: undecided, the page waits and gives nothing", async () => {
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    for (let looks = 0; looks < 3; looks += 1) {
      const answer = await waiting.browser.open(waiting.path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("location")).toBeNull();
    }
    await decide(admin, waiting, "deny");
  });

  it("gateway: after ten minutes the request is over: for the admin, for the person, and in the audit", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await connectSharedAs(admin);
    const { browser, path } = await waitForShared();
    const form = await adminForm(admin, formOf(path));
    const audit = (await rowsOf("ADMIN", "audit")).length;
    vi.setSystemTime(Date.now() + 601_000);
    const late = await admin.post(form.action, { ...form.fields, decision: "approve" });
    expect(late.status).toBe(409);
    expect(await expectRefusalPage(await browser.open(path))).toContain("took too long");
    expect(await rowsOf("ADMIN", "audit")).toHaveLength(audit);
    expect(await adminPage(admin)).not.toContain(form.action);
  });

  it("gateway: a request is decided once; twenty approvals at once are one", async () => {
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    const form = await adminForm(admin, formOf(waiting.path));
    const press = (decision: string): Promise<Response> =>
      admin.post(form.action, { ...form.fields, decision });
    const answers = await Promise.all(Array.from({ length: 20 }, () => press("approve")));
    expect(answers.map(({ status }) => String(status)).sort()).toEqual([
      "303",
      ...Array.from({ length: 19 }, () => "409"),
    ]);
    expect((await press("deny")).status).toBe(409);
    const { searchParams } = await outcome(waiting);
    expect(searchParams.get("code")).not.toBeNull();
  });

  it("MCP authorization, Confused Deputy: another browser can't take the approval", async () => {
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    await decide(admin, waiting, "approve");
    expect(await expectRefusalPage(await ask(waiting.path))).toContain("another browser");
    expect(await expectRefusalPage(await admin.open(waiting.path))).toContain("another browser");
    expect((await outcome(waiting)).searchParams.get("code")).not.toBeNull();
  });

  it("gateway: neither the person who waits nor a stranger can approve", async () => {
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    const { action } = await adminForm(admin, formOf(waiting.path));
    const answer = await waiting.browser.post(action, { decision: "approve", csrf: "x".repeat(43) });
    expect(answer.status).toBe(401);
    expect((await waiting.browser.open(waiting.path)).headers.get("location")).toBeNull();
    await decide(admin, waiting, "deny");
  });
});

describe(verifies("shared.no_fallback", "personal access never becomes shared access"), () => {
  it("gateway: with shared access connected, a person without a connection gets 401 and nothing else", async () => {
    await connectSharedAs(admin);
    const { tokens } = await connectAs("ada");
    await gong.killTokens({ kind: "all", person: "ada" });
    await connectSharedAs(await adminBrowser());
    const before = (await atGong()).length;
    const answer = await call(tokens.access_token, ASK_ACCOUNT);
    expect(answer.status).toBe(401);
    const authorizations = (await atGong()).slice(before).map(({ headers }) => headers["authorization"]);
    const shared = (await gong.ledger())
      .filter((entry) => entry.kind === "tokens_issued")
      .filter(({ clientId }) => clientId === "gong-client-shared");
    expect(shared.length).toBeGreaterThan(0);
    for (const { accessToken } of shared) expect(authorizations).not.toContain(`Bearer ${accessToken}`);
  });

  it("gateway: ending shared access stops its clients at once and leaves personal ones alone", async () => {
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    await decide(admin, waiting, "approve");
    const shared = await approvedTokens(waiting);
    const { tokens } = await connectAs("ada");
    const [id] = (await rowsOf("ADMIN", "connections"))
      .filter((row) => row["integration"] === "shared")
      .map((row) => row["id"] as string);
    const { csrf = "" } = (await adminForm(admin, /sign-out$/)).fields;
    expect((await admin.post(`/admin/connections/${id}/end`, { csrf })).status).toBe(303);
    expect((await call(shared, ASK_ACCOUNT, SHARED)).status).toBe(401);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });
});
