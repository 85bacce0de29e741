// Attacks on /account: other people's ids, cookies and forms, posts from other sites, names that are markup, and what a
// download must not hold.

import { beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ACCOUNT_COOKIE, accountAct, accountBrowser, accountForm, accountPage } from "../support/account.ts";
import { everythingStored, rowsOf, secretsIn } from "../support/evidence.ts";
import {
  ask,
  ASK_ACCOUNT,
  call,
  ORIGIN,
  register,
  redeem,
  signIn,
  type TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { expectRefusalPage } from "../support/refusals.ts";
import { gatewayWith } from "../support/settings.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";

let ada: TestBrowser;
let grace: TestBrowser;
let adasAgent = "";
let gracesAgent = "";

beforeAll(async () => {
  await gong.reset();
  gracesAgent = (await connectAs("grace")).tokens.access_token;
  adasAgent = (await connectAs("ada")).tokens.access_token;
  ada = await accountBrowser("ada");
  grace = await accountBrowser("grace");
});

const csrfOf = async (browser: TestBrowser): Promise<string> =>
  (await accountForm(browser, /sign-out$/)).fields["csrf"] ?? "";
const AGENT = /\/account\/agents\/([^/]{22})\/end$/;

describe(verifies("account.own_only", "two people"), () => {
  it("ASVS 8.2.2: the id of another person's agent is an agent that does not exist, and goes on", async () => {
    const { action } = await accountForm(grace, AGENT);
    const answer = await ada.post(action, { csrf: await csrfOf(ada) });
    await expectRefusalPage(answer, 404);
    expect((await call(gracesAgent, ASK_ACCOUNT)).status).toBe(200);
  });

  it("ASVS 8.2.2: ids that are none of anybody's end nothing", async () => {
    const csrf = await csrfOf(ada);
    for (const id of ["A".repeat(22), "x", "%00", "..%2f..%2fdisconnect", "' OR 1=1 --", "end-all%2f"]) {
      const answer = await ada.post(`/account/agents/${id}/end`, { csrf });
      expect([404, 400]).toContain(answer.status);
    }
    expect((await call(adasAgent, ASK_ACCOUNT)).status).toBe(200);
  });

  it("RFC 6749 §10.12: one person's form token with the other's cookie is refused, both ways", async () => {
    for (const [browser, other] of [
      [ada, grace],
      [grace, ada],
    ] as const) {
      for (const path of ["/account/disconnect", "/account/agents/end-all", "/account/sign-out"]) {
        await expectRefusalPage(await browser.post(path, { csrf: await csrfOf(other) }), 403);
      }
    }
    expect((await call(adasAgent, ASK_ACCOUNT)).status).toBe(200);
    expect((await call(gracesAgent, ASK_ACCOUNT)).status).toBe(200);
  });

  it("ASVS 15.4.1: sixty pages rendered at once for two people hold each only their own", async () => {
    const short = async (browser: TestBrowser) =>
      /Connection <code>([^<]{8})/.exec(await accountPage(browser))?.[1];
    const [adas, graces] = [await short(ada), await short(grace)];
    expect(adas).not.toBe(graces);
    const pages = Array.from(
      { length: 60 },
      async (_, at) => [at % 2, await accountPage([ada, grace][at % 2] ?? ada)] as const,
    );
    for (const [whose, html] of await Promise.all(pages)) {
      expect(html).toContain(`Connection <code>${whose === 0 ? adas : graces}`);
      expect(html).not.toContain(`Connection <code>${whose === 0 ? graces : adas}`);
    }
  });
});

/** Every route that changes something for a person who is signed in. */
const CHANGES = [
  "/account/reconnect",
  "/account/agents/end-all",
  "/account/agents/AAAAAAAAAAAAAAAAAAAAAA/end",
  "/account/keys",
  "/account/keys/AAAAAAAAAAAAAAAAAAAAAA/revoke",
  "/account/disconnect",
  "/account/sign-out",
  "/account/sign-out-everywhere",
];

type Headers = Record<string, string>;
const OURS: Headers = { origin: ORIGIN, "sec-fetch-site": "same-origin" };
const FORM = "application/x-www-form-urlencoded";

describe(
  verifies("account.cross_site", "a change needs the session, its form token and our own page"),
  () => {
    it.each<[string, Headers, string | undefined, number]>([
      ["from another origin", { ...OURS, origin: "https://evil.test" }, undefined, 403],
      ["from a sibling host", { ...OURS, origin: "https://x.gateway.test" }, undefined, 403],
      ["from a sandbox", { origin: "null", "sec-fetch-site": "cross-site" }, undefined, 403],
      ["as Sec-Fetch-Site: same-site", { ...OURS, "sec-fetch-site": "same-site" }, undefined, 403],
      ["as Sec-Fetch-Site: none", { ...OURS, "sec-fetch-site": "none" }, undefined, 403],
      ["with neither header", {}, undefined, 403],
      ["without the form token", OURS, "", 403],
      ["with another form token", OURS, `csrf=${"A".repeat(43)}`, 403],
      ["as text/plain", { ...OURS, "content-type": "text/plain" }, undefined, 415],
      ["as JSON", { ...OURS, "content-type": "application/json" }, undefined, 415],
      ["without a session", { ...OURS, cookie: "" }, undefined, 401],
      ["with the session twice", { ...OURS, cookie: "twice" }, undefined, 401],
    ])("RFC 6749 §10.12: a post %s changes nothing", async (_, headers, body, status) => {
      const csrf = await csrfOf(ada);
      const session = `${ACCOUNT_COOKIE}=${ada.cookies.get(ACCOUNT_COOKIE)}`;
      const cookie =
        headers["cookie"] === "twice" ? `${session}; ${ACCOUNT_COOKIE}=x` : (headers["cookie"] ?? session);
      const before = seenStripped(await everythingStored());
      for (const path of CHANGES) {
        const answer = await ask(path, {
          method: "POST",
          headers: { "content-type": FORM, ...headers, cookie },
          body: body ?? `csrf=${csrf}`,
        });
        expect([path, answer.status]).toEqual([path, status]);
        expect(answer.headers.get("location")).toBeNull();
        expect(answer.headers.getSetCookie()).toEqual([]);
      }
      expect(seenStripped(await everythingStored())).toBe(before);
    });

    it("OWASP CSRF, login: a sign-in from another site begins nothing", async () => {
      const before = seenStripped(await everythingStored());
      for (const headers of [
        { origin: "https://evil.test" },
        { origin: "null", "sec-fetch-site": "cross-site" },
        {},
      ]) {
        const answer = await ask("/account/sign-in", {
          method: "POST",
          headers,
          body: new URLSearchParams(),
        });
        await expectRefusalPage(answer, 403);
      }
      expect(seenStripped(await everythingStored())).toBe(before);
    });

    it("ASVS 8.2.1: GET changes nothing on any of these paths, and shows nothing to strangers", async () => {
      for (const path of [
        ...CHANGES,
        "/account/record/csv",
        "/account/record/ndjson",
        "/account/x",
        "/account/",
      ]) {
        const answer = await ask(path);
        expect([path, [303, 401, 403, 404].includes(answer.status)]).toEqual([path, true]);
        expect(await answer.text()).not.toContain("Sign out");
        const signedIn = await ada.open(path);
        await signedIn.body?.cancel();
      }
      expect((await call(adasAgent, ASK_ACCOUNT)).status).toBe(200);
    });
  },
);

/** A session or an agent that is asked about is noted as seen: not a change that anybody made. */
function seenStripped(stored: string): string {
  return stored.replaceAll(/"(?:seen_at|last_used_at)":\d+/g, "");
}

/** The markup that is ours: what is left when text and attribute values are taken out. */
function skeleton(html: string): string {
  return html
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, "<$1>")
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/>[^<]*</g, "><");
}

describe(verifies("account.page", "the page itself"), () => {
  it("ASVS 3.4, 14.3.2: every answer is closed off and never stored", async () => {
    const answers = [
      await ada.open("/account"),
      await ask("/account"),
      await ada.open("/account/record/csv"),
      await ask("/account/disconnect", { method: "POST" }),
    ];
    for (const answer of answers) {
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "cache-control": "no-store",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      });
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("ASVS 1.2.1: what clients call themselves stays text on the page", { timeout: 60_000 }, async () => {
    const plain = await withAgentNamed("Plain");
    const expected = skeleton(plain);
    for (const payload of XSS_CORPUS) expect(skeleton(await withAgentNamed(payload))).toBe(expected);
  });

  it("ASVS 1.2.1: no query and no path is reflected, and `done` says only what is on its list", async () => {
    for (const payload of XSS_CORPUS) {
      const encoded = encodeURIComponent(payload.toWellFormed());
      const html = await (await grace.open(`/account?done=${encoded}&next=${encoded}`)).text();
      expect(html).not.toContain("xss(1)");
      expect(html).not.toContain('role="status"');
    }
  });

  it("ASVS 14.2.1: neither the page nor the downloads hold a token, a code, a cookie or a hash of one", async () => {
    const secrets: Record<string, string> = {
      "access token": adasAgent,
      cookie: ada.cookies.get(ACCOUNT_COOKIE) ?? "",
    };
    for (const [at, row] of (await rowsOf("CONNECTIONS", "account_sessions")).entries())
      secrets[`session hash ${at}`] = JSON.stringify(row["hash"]).slice(1, -1);
    for (const entry of await gong.ledger())
      if (entry.kind === "tokens_issued") secrets[`Gong token ${entry.seq}`] = entry.accessToken;
    for (const path of ["/account", "/account/record/csv", "/account/record/ndjson"]) {
      expect(secretsIn(await (await ada.open(path)).text(), secrets)).toEqual([]);
    }
  });
});

/** Ada's page while her only agent is called `name`. */
async function withAgentNamed(name: string): Promise<string> {
  await gong.signIn("ada");
  await accountAct(ada, /disconnect$/).catch(() => undefined);
  const { client_id: clientId } = await register({ client_name: name });
  const { searchParams } = await signIn(clientId);
  const { access_token: token } = await redeem(clientId, searchParams.get("code") ?? "");
  adasAgent = token;
  return (await accountPage(ada)).replace(/<h2 id="record">[\s\S]*?<\/section>/, "");
}

describe(verifies("account.record", "the record"), () => {
  it("gateway: it tells what happened, the newest first, in both formats", async () => {
    await withAgentNamed('=HYPERLINK("https://evil.test","x")');
    const form = readForms(await accountPage(ada)).find(({ action }) => AGENT.test(action));
    await ada.post(form?.action ?? "", Object.fromEntries(form?.fields ?? []));
    const lines = (await (await ada.open("/account/record/ndjson")).text()).trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.slice(0, 4).map(({ event }) => event)).toEqual([
      "disconnected",
      "agent.ended",
      "agent.approved",
      "reconnected",
    ]);
    expect(events[1]).toMatchObject({
      reason: "ended_by_person",
      name: '=HYPERLINK("https://evil.test","x")',
      id: AGENT.exec(form?.action ?? "")?.[1],
    });
    const answer = await ada.open("/account/record/csv");
    expect(answer.headers.get("content-disposition")).toBe(
      'attachment; filename="gong-connection-record.csv"',
    );
    const csv = await answer.text();
    expect(csv).toMatch(/^time,event,id,name,reason\r\n/);
    expect(csv).toContain(`"'=HYPERLINK(""https://evil.test"",""x"")"`);
    expect(csv.split("\r\n").length).toBe(lines.length + 2);
  });

  it("gateway: it is bounded, and each person's is their own", async () => {
    const text = await (await grace.open("/account/record/csv")).text();
    expect(text).not.toContain("HYPERLINK");
    expect(text.split("\r\n").length).toBeLessThan(1002);
  });
});

describe(verifies("account.shared_only", "a gateway with shared access only"), () => {
  it("gateway: it says so, and begins no sign-in", async () => {
    const shared = gatewayWith({ GONG_ACCESS: "shared" });
    const page = await expectRefusalPage(await shared("/account"), 404);
    expect(page).toContain("shared access only");
    const begun = await shared("/account/sign-in", {
      method: "POST",
      headers: OURS,
      body: new URLSearchParams(),
    });
    await expectRefusalPage(begun, 404);
  });
});
