// Attacks on /admin: without a session, with credentials of another kind, from another site, and through everything a
// stranger can make the page show.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  adminBrowser,
  adminForm,
  adminPage,
  connectSharedAs,
  decide,
  waitForShared,
} from "../support/admin.ts";
import { everythingStored, recordLogs } from "../support/evidence.ts";
import { ADMIN_TOKEN, ask, ASK_ACCOUNT, call, ORIGIN, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { connectAs } from "../support/mcp.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";

const COOKIE = "__Host-admin";
let admin: TestBrowser;
let session = "";
let csrf = "";

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
  session = admin.cookies.get(COOKIE) ?? "";
  csrf = (await adminForm(admin, /sign-out$/)).fields["csrf"] ?? "";
});
beforeEach(() => gong.reset());

/** Every route that changes something. */
const CHANGES = [
  "/admin/sign-out",
  "/admin/keys/sweep",
  "/admin/sessions/end",
  "/admin/setup/check",
  "/admin/setup/sign-in",
  "/admin/approvals/AAAAAAAAAAAAAAAAAAAAAA",
  "/admin/connections/AAAAAAAAAAAAAAAAAAAAAA/end",
  "/admin/connections/AAAAAAAAAAAAAAAAAAAAAA/agents/AAAAAAAAAAAAAAAAAAAAAA/end",
  "/admin/connections/AAAAAAAAAAAAAAAAAAAAAA/keys/AAAAAAAAAAAAAAAAAAAAAA/revoke",
  "/admin/spend/AAAAAAAAAAAAAAAAAAAAAA/erase",
  "/admin/client/end",
  "/admin/client/forget",
  "/admin/agent-keys",
  "/admin/agent-keys/AAAAAAAAAAAAAAAAAAAAAA/revoke",
];

type Shape = (path: string) => RequestInit;

/** A good post of the live session, changed in one thing each. */
function posted(changes: {
  headers?: Record<string, string | undefined>;
  body?: BodyInit;
  type?: string;
}): RequestInit {
  const headers = {
    origin: ORIGIN,
    "sec-fetch-site": "same-origin",
    cookie: `${COOKIE}=${session}`,
    "content-type": changes.type ?? "application/x-www-form-urlencoded",
    ...changes.headers,
  };
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const body = changes.body ?? new URLSearchParams({ csrf, decision: "approve" }).toString();
  return { method: "POST", headers: given, body };
}

const JSON_BODY = (): string => JSON.stringify({ csrf, decision: "approve" });

const CROSS_SITE: ReadonlyArray<readonly [name: string, shape: Shape, statuses: readonly number[]]> = [
  ["from another origin", () => posted({ headers: { origin: "https://evil.test" } }), [403]],
  ["from a sibling host", () => posted({ headers: { origin: "https://x.gateway.test" } }), [403]],
  ["over http", () => posted({ headers: { origin: "http://gateway.test" } }), [403]],
  ["from a sandbox", () => posted({ headers: { origin: "null", "sec-fetch-site": "cross-site" } }), [403]],
  ["as Sec-Fetch-Site: same-site", () => posted({ headers: { "sec-fetch-site": "same-site" } }), [403]],
  ["as Sec-Fetch-Site: none", () => posted({ headers: { "sec-fetch-site": "none" } }), [403]],
  [
    "with neither header",
    () => posted({ headers: { origin: undefined, "sec-fetch-site": undefined } }),
    [403],
  ],
  [
    "with Origin null alone",
    () => posted({ headers: { origin: "null", "sec-fetch-site": undefined } }),
    [403],
  ],
  ["without the form token", () => posted({ body: "decision=approve" }), [403]],
  ["with an empty form token", () => posted({ body: "csrf=&decision=approve" }), [403]],
  ["with another form token", () => posted({ body: `csrf=${"A".repeat(43)}&decision=approve` }), [403]],
  ["with the form token twice", () => posted({ body: `csrf=${csrf}&csrf=${csrf}` }), [400]],
  ["with the session for a form token", () => posted({ body: `csrf=${session}` }), [403]],
  ["as JSON", () => posted({ type: "application/json", body: JSON_BODY() }), [415]],
  ["as text/plain", () => posted({ type: "text/plain", body: `csrf=${csrf}` }), [415]],
  ["as multipart", () => posted({ type: "multipart/form-data; boundary=x", body: `csrf=${csrf}` }), [415]],
  [
    "with a type and another one",
    () => posted({ type: "application/x-www-form-urlencoded, text/plain" }),
    [415],
  ],
  ["without a session", () => posted({ headers: { cookie: undefined } }), [401]],
  ["with two sessions", () => posted({ headers: { cookie: `${COOKIE}=${session}; ${COOKIE}=evil` } }), [401]],
  ["with the session under another name", () => posted({ headers: { cookie: `admin=${session}` } }), [401]],
];

describe(verifies("admin.cross_site", "a change needs the session, its form token and our own page"), () => {
  it.each(CROSS_SITE)("RFC 6749 §10.12: a post %s changes nothing", async (_, shape, statuses) => {
    const before = await everythingStored();
    for (const path of CHANGES) {
      const answer = await ask(path, shape(path));
      expect(statuses).toContain(answer.status);
      expect(answer.headers.get("location")).toBeNull();
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(seenAtStripped(await everythingStored())).toBe(seenAtStripped(before));
  });

  it("RFC 6749 §10.12: the same post with nothing changed is taken", async () => {
    const answer = await ask("/admin/setup/sign-in", posted({ body: `csrf=${csrf}&integration=shared` }));
    expect(answer.status).toBe(200);
  });

  it("OWASP CSRF, login: a sign-in from another site is refused, with the right token too", async () => {
    for (const headers of [
      { origin: "https://evil.test" },
      { origin: "null", "sec-fetch-site": "cross-site" },
      {},
    ]) {
      const body = new URLSearchParams({ token: ADMIN_TOKEN });
      const answer = await ask("/admin/sign-in", { method: "POST", headers, body });
      expect(answer.status).toBe(403);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });
});

/** A session that is asked about is noted as seen: not a change that anybody made. */
function seenAtStripped(stored: string): string {
  return stored.replaceAll(/"seen_at":\d+/g, "");
}

const PATHS = [
  "/admin",
  "/admin/",
  "/admin/sign-in",
  "/admin/x",
  "/admin/connections",
  "/admin/approvals",
  "/admin/settings",
  "/admin/connections/x",
  "/admin/clients",
  "/admin/client?id=x",
  "/admin/registrations",
  "/admin/doctor",
  "/admin/audit",
  "/admin/audit/export?format=csv",
  "/admin/spend",
  "/admin/spend/x",
  "/admin/spend/export?format=csv",
  "/admin/spend/x/export?format=csv",
  "/admin/sealing-keys",
  "/admin/..;/admin",
  "/admin//",
  "//admin",
  "/admin%2f",
  "/admin/%2e",
  "/%61dmin",
  "/ADMIN",
  "/admin.json",
  "/admin;x",
  ...CHANGES,
];

describe(verifies("admin.default_deny", "without a session every path under /admin is closed"), () => {
  it.each(PATHS)("ASVS 8.2.1: %s shows nothing to strangers, by any method", async (path) => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await ask(`${ORIGIN}${path}`, {
        method,
        headers: { origin: ORIGIN, "sec-fetch-site": "same-origin", "x-http-method-override": "GET" },
      });
      const html = await answer.text();
      const led = answer.status === 303 ? `303 ${answer.headers.get("location")}` : String(answer.status);
      expect([`303 ${ORIGIN}/admin`, "401", "403", "404", "415"]).toContain(led);
      expect(html).not.toContain("Sign out");
      expect(html).not.toContain("gong-client-personal");
    }
  });

  it("ASVS 8.3.1: credentials of other kinds open neither /admin nor, the other way round, /mcp", async () => {
    const { tokens } = await connectAs("ada");
    const kinds = [tokens.access_token, tokens.refresh_token, ADMIN_TOKEN, csrf, "A".repeat(43)];
    for (const value of kinds) {
      const answers = [
        await ask("/admin", { headers: { authorization: `Bearer ${value}` } }),
        await ask("/admin", { headers: { cookie: `${COOKIE}=${value}` } }),
        await ask(`/admin?token=${value}&session=${value}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    }
    for (const value of [session, ADMIN_TOKEN, csrf])
      expect((await call(value, ASK_ACCOUNT)).status).toBe(401);
    const withCookie = await ask("/mcp", { method: "POST", headers: { cookie: `${COOKIE}=${session}` } });
    expect(withCookie.status).toBe(401);
  });

  it("RFC 6265bis: two admin cookies are refused, in either order", async () => {
    for (const cookie of [`${COOKIE}=evil; ${COOKIE}=${session}`, `${COOKIE}=${session}; ${COOKIE}=evil`]) {
      expect((await ask("/admin", { headers: { cookie } })).status).toBe(401);
    }
  });
});

describe(verifies("admin.page_headers", "every answer of /admin is closed off and never stored"), () => {
  it.each([
    ["the sign-in page", () => ask("/admin")],
    ["the overview", () => admin.open("/admin")],
    ["a refused post", () => ask("/admin/sign-out", { method: "POST" })],
    ["an unknown path", () => admin.post("/admin/unknown", { csrf })],
  ])("ASVS 3.4.3 to 3.4.8: %s", async (_, open) => {
    const [one, two] = [await open(), await open()];
    const policy = one.headers.get("content-security-policy") ?? "";
    const directives = new Map(
      policy.split(";").map((part) => {
        const [name = "", ...values] = part.trim().split(" ");
        return [name, values.join(" ")];
      }),
    );
    const nonce = /'nonce-[A-Za-z0-9+/=_-]{16,}'/;
    expect(Object.fromEntries(directives)).toEqual({
      "default-src": "'none'",
      "style-src": expect.stringMatching(nonce),
      "script-src": expect.stringMatching(nonce),
      "img-src": "'self'",
      "base-uri": "'none'",
      "form-action": "'self'",
      "frame-ancestors": "'none'",
    });
    expect(two.headers.get("content-security-policy")).not.toBe(policy);
    expect(Object.fromEntries(one.headers)).toMatchObject({
      "cache-control": "no-store",
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "strict-transport-security": "max-age=31536000; includeSubDomains",
    });
    expect(one.headers.get("permissions-policy")).toContain("camera=()");
    expect(one.headers.get("access-control-allow-origin")).toBeNull();
  });
});

/** The markup that is ours: what is left when text and attribute values are taken out. */
function skeleton(html: string): string {
  return html
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, "<$1>")
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/>[^<]*</g, "><");
}

describe(verifies("admin.escaping", "nothing that a stranger sends becomes markup on the admin page"), () => {
  it("ASVS 1.2.1: fifty names of clients that wait, and their redirect URIs, stay text", async () => {
    await connectSharedAs(admin);
    const plain = await waitForShared({ client_name: "Plain" });
    const expected = skeleton(await adminPage(admin));
    await decide(admin, plain, "deny");
    for (const payload of XSS_CORPUS) {
      const redirect = `https://client.test/cb?x=${encodeURIComponent(payload)}`;
      const waiting = await waitForShared({
        client_name: payload,
        redirect_uris: ["http://127.0.0.1:7777/callback", redirect],
      });
      const page = await adminPage(admin);
      expect(skeleton(page)).toBe(expected);
      await decide(admin, waiting, "deny");
    }
  }, 60_000);

  it("ASVS 1.2.1: no query and no path is reflected", async () => {
    for (const payload of XSS_CORPUS) {
      const encoded = encodeURIComponent(payload.toWellFormed());
      for (const path of [`/admin?next=${encoded}&error=${encoded}`, `/admin/${encoded}`]) {
        const answer = await admin.open(path);
        const html = await answer.text();
        expect(html).not.toContain(payload);
        expect(html).not.toContain("xss(1)");
        expect(answer.headers.get("location") ?? "").not.toContain("evil");
      }
    }
  });

  it("ASVS 15.4.1: one hundred pages rendered at once for two sessions hold each its own form token", async () => {
    const other = await adminBrowser("192.0.2.3");
    const pages = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, at) => [at % 2, await adminPage(at % 2 === 0 ? admin : other)] as const,
      ),
    );
    const otherCsrf = (await adminForm(other, /sign-out$/)).fields["csrf"] ?? "";
    expect(otherCsrf).not.toBe(csrf);
    for (const [whose, html] of pages) {
      expect(html).toContain(whose === 0 ? csrf : otherCsrf);
      expect(html).not.toContain(whose === 0 ? otherCsrf : csrf);
    }
  });

  it("ASVS 16.4.1: line breaks in what a stranger sends make no log line", async () => {
    const logs = recordLogs();
    await ask("/admin/sign-in%0aforged", { method: "POST", headers: { "user-agent": "x\u0085forged" } });
    for (const line of logs) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});
