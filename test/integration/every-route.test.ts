// Every route of the router, taken from the router itself, against the same attacks: so a route that is added tomorrow
// is held to them without anybody writing it down here. Only what needs no session is named.

import { beforeAll, describe, expect, it } from "vitest";
import { createRouter } from "../../src/app.ts";
import { verifies } from "../conformance/verifies.ts";
import { ACCOUNT_COOKIE, accountBrowser } from "../support/account.ts";
import { adminBrowser } from "../support/admin.ts";
import { everythingStored } from "../support/evidence.ts";
import { ask, connect, ORIGIN, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms } from "../support/html.ts";

interface Route {
  readonly method: string;
  readonly path: string;
}

/** What the router answers, each once; a pattern is middleware, and ALL is that or a refusal of other methods. */
const ROUTES: readonly Route[] = [
  ...new Map(
    createRouter()
      .routes.filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"))
      .map(({ method, path }) => [`${method} ${path}`, { method, path }] as const),
  ).values(),
];

/** Pages of people who have not signed in, and endpoints of clients, which have no cookies. */
const WITHOUT_SESSION = ["/account/sign-in", "/account/open", "/admin/sign-in", "/authorize", "/device"];
const OF_CLIENTS = ["/token", "/revoke", "/register", "/device_authorization"];

const POSTS = ROUTES.filter(({ method }) => method === "POST").map(({ path }) => path);
const ACTS = POSTS.filter((path) => !WITHOUT_SESSION.includes(path) && !OF_CLIENTS.includes(path));
const GETS = ROUTES.filter(({ method }) => method === "GET").map(({ path }) => path);
const HAS_ID = (path: string): boolean => path.includes(":");

const FORM = "application/x-www-form-urlencoded";
const LONGEST_BODY = 65_536;
const COOKIES = { admin: "__Host-admin", account: ACCOUNT_COOKIE } as const;

type Side = keyof typeof COOKIES;
const sideOf = (path: string): Side => (path.startsWith("/admin") ? "admin" : "account");

interface Visitor {
  readonly browser: TestBrowser;
  readonly cookie: string;
  readonly csrf: string;
}

let visitors: Readonly<Record<Side, Visitor>>;
let others: Readonly<Record<Side, Visitor>>;
let clientId = "";
/** Paths with ids in them that pages of the visitors lead or post to. */
let known: readonly string[] = [];

async function visitorOf(side: Side, browser: TestBrowser): Promise<Visitor> {
  const page = await (await browser.open(side === "admin" ? "/admin/policy" : "/account")).text();
  const fields = readForms(page).flatMap((form) => form.fields);
  const [, csrf = ""] = fields.find(([name]) => name === "csrf") ?? [];
  expect(csrf).not.toBe("");
  return { browser, csrf, cookie: `${COOKIES[side]}=${browser.cookies.get(COOKIES[side]) ?? ""}` };
}

async function linksOf({ browser }: Visitor, path: string): Promise<readonly string[]> {
  const page = await (await browser.open(path)).text();
  const links = [...page.matchAll(/href="([^"?]+)/g)].map(([, href = ""]) => href);
  return [...links, ...readForms(page).map(({ action }) => action)];
}

beforeAll(async () => {
  await gong.reset();
  await gong.signIn("ada");
  ({ clientId } = await connect());
  visitors = {
    admin: await visitorOf("admin", await adminBrowser("192.0.2.1")),
    account: await visitorOf("account", await accountBrowser("ada")),
  };
  others = {
    admin: await visitorOf("admin", await adminBrowser("192.0.2.2")),
    account: await visitorOf("account", await accountBrowser("grace")),
  };
  const lists = await Promise.all(
    ["/admin/connections", "/admin/clients", "/admin/spend"].map((path) => linksOf(visitors.admin, path)),
  );
  const connection = lists.flat().find((path) => /^\/admin\/connections\/./.test(path)) ?? "";
  known = [
    ...lists.flat(),
    ...(await linksOf(visitors.admin, connection)),
    ...(await linksOf(visitors.account, "/account")),
  ];
});

/** A path of the route: a real one where a page has one, else with `made` for each of its ids. */
function pathOf(route: string, made?: string): string {
  const pattern = new RegExp(`^${route.replaceAll(/:\w+/g, "[^/]+")}$`);
  const real = made === undefined ? known.find((path) => pattern.test(path)) : undefined;
  return real ?? route.replaceAll(/:\w+/g, made ?? "AAAAAAAAAAAAAAAAAAAAAA");
}

/** But that a session that is asked about is noted as seen, and what the client doctor writes when it is looked at. */
const stored = async (): Promise<string> =>
  (await everythingStored())
    .replaceAll(/"(?:seen_at|last_used_at|used_at)":\d+/g, "")
    .replace(/"traces":\[.*?\](?=,"\w+":\[)/, "")
    .replace(/\{"name":"traces","seq":\d+\},?/, "");

type Shape = (side: Side) => {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** The post of a visitor's own page, with one thing spoiled. */
function spoiled(path: string, shape: Shape, visitor = visitors[sideOf(path)]): Promise<Response> {
  const { headers = {}, body = `csrf=${visitor.csrf}` } = shape(sideOf(path));
  return ask(pathOf(path), {
    method: "POST",
    headers: {
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      "content-type": FORM,
      cookie: visitor.cookie,
      ...headers,
    },
    body,
  });
}

const csrfOf = (side: Side): string => visitors[side].csrf;

const ATTACKS: ReadonlyArray<readonly [name: string, status: number, shape: Shape]> = [
  ["without a cookie", 401, () => ({ headers: { cookie: "" } })],
  [
    "with the cookie twice",
    401,
    (side) => ({ headers: { cookie: `${visitors[side].cookie}; ${others[side].cookie}` } }),
  ],
  [
    "with the cookie of the other kind of session",
    401,
    (side) => ({
      headers: {
        cookie: visitors[side].cookie.replace(/^[^=]+/, COOKIES[side === "admin" ? "account" : "admin"]),
      },
    }),
  ],
  ["with another's cookie", 403, (side) => ({ headers: { cookie: others[side].cookie } })],
  ["with another's form token", 403, (side) => ({ body: `csrf=${others[side].csrf}` })],
  ["with a made-up form token", 403, () => ({ body: `csrf=${"A".repeat(43)}` })],
  ["without the form token", 403, () => ({ body: "confirm=yes" })],
  ["with nothing in it", 403, () => ({ body: "" })],
  ["from another origin", 403, () => ({ headers: { origin: "https://evil.test" } })],
  ["from a sibling", 403, () => ({ headers: { "sec-fetch-site": "same-site" } })],
  ["from nowhere", 403, () => ({ headers: { origin: "null", "sec-fetch-site": "none" } })],
  [
    "as JSON",
    415,
    (side) => ({
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ csrf: csrfOf(side) }),
    }),
  ],
  ["with an encoding", 415, () => ({ headers: { "content-encoding": "gzip" } })],
  ["with the form token twice", 400, (side) => ({ body: `csrf=${csrfOf(side)}&csrf=${csrfOf(side)}` })],
  [
    "with one byte too many",
    413,
    (side) => ({ body: `csrf=${csrfOf(side)}&filler=`.padEnd(LONGEST_BODY + 1, "x") }),
  ],
  [
    "with a value that is too long",
    400,
    (side) => ({ body: `csrf=${csrfOf(side)}&filler=${"x".repeat(16_385)}` }),
  ],
  ["with bytes that are no UTF-8", 400, (side) => ({ body: `csrf=${csrfOf(side)}&filler=%ff` })],
];

describe(verifies("routes.acts", "every post that a session is needed for"), { timeout: 60_000 }, () => {
  it("gateway: are the acts of admins and people, and there are many", () => {
    expect(ACTS.length).toBeGreaterThan(25);
    expect(ACTS.filter((path) => !/^\/(admin|account)\/./.test(path))).toEqual([]);
    expect(POSTS.filter((path) => !ACTS.includes(path)).toSorted()).toEqual(
      [...WITHOUT_SESSION, ...OF_CLIENTS].toSorted(),
    );
  });

  it.each(ATTACKS)(
    "OWASP ASVS 5.0 3.5.1, 8.3.1: %s gets %i and changes nothing",
    async (_, status, shape) => {
      const before = await stored();
      for (const path of ACTS) {
        const answer = await spoiled(path, shape);
        expect([path, answer.status]).toEqual([path, status]);
        expect([path, answer.headers.get("location"), answer.headers.getSetCookie()]).toEqual([
          path,
          null,
          [],
        ]);
        expect(answer.headers.get("cache-control")).toContain("no-store");
        await answer.body?.cancel();
      }
      expect(await stored()).toBe(before);
    },
  );
});

/** Names and values that programs have stumbled over. */
const ODD_NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__proto__[csrf]"];
const ODD_VALUES = [
  "__proto__",
  "constructor",
  "toString",
  "NaN",
  "-0",
  "1e400",
  "9".repeat(400),
  "0000-99-99",
  "\u202e\u2066gnp.exe",
  "\ud83d\udca9",
  "\u0000\r\nSet-Cookie: a=b",
  "../../admin",
  "'\"><img src=x onerror=alert(1)>",
];

describe(verifies("routes.calm", "every route and what programs stumble over"), { timeout: 60_000 }, () => {
  it("OWASP ASVS 5.0 15.3.6: names that objects inherit are fields like any other, on every form", async () => {
    const odd = ODD_NAMES.map((name) => `${encodeURIComponent(name)}=x`).join("&");
    for (const path of POSTS) {
      const { csrf } = visitors[sideOf(path)];
      const answers = [
        await spoiled(path, () => ({ body: odd })),
        await spoiled(path, () => ({ body: `${odd}&csrf=${csrf}x` })),
      ];
      for (const answer of answers) {
        expect([path, answer.status < 500]).toEqual([path, true]);
        await answer.body?.cancel();
      }
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)["csrf"]).toBeUndefined();
  });

  it("OWASP ASVS 5.0 2.2.1: ids that are none are not found, whoever asks, and leave nothing behind", async () => {
    const before = await stored();
    for (const path of [...new Set([...GETS, ...ACTS])].filter(HAS_ID)) {
      for (const value of [...ODD_VALUES, "x".repeat(4000)]) {
        const made = pathOf(path, encodeURIComponent(value));
        const { cookie, csrf } = visitors[sideOf(path)];
        const isGet = GETS.includes(path);
        // Acts come with everything but the right form token: what an id leads to is looked at after that.
        const answer = isGet
          ? await ask(made, { headers: { cookie } })
          : await spoiled(made, () => ({ body: `csrf=${csrf}` }));
        expect([made, answer.status < 500]).toEqual([made, true]);
        const text = await answer.text();
        expect([made, text.includes("onerror=alert(1)>")]).toEqual([made, false]);
        expect(answer.headers.getSetCookie().join()).not.toContain("a=b");
      }
    }
    expect(await stored()).toBe(before);
  });

  it("OWASP ASVS 5.0 2.2.1: odd, repeated and endless parameters of a query break no page and are not reflected", async () => {
    const names = [
      "q",
      "page",
      "from",
      "to",
      "client",
      "state",
      "format",
      "id",
      "done",
      "cause",
      "user_code",
      "_",
    ];
    const values = [...ODD_VALUES, "x".repeat(8000), "after.1e400.x", "before.-0.x", "after.1.", ""];
    const before = await stored();
    for (const path of GETS) {
      for (let round = 0; round < values.length; round += 3) {
        const query = names
          .map((name, at) => `${name}=${encodeURIComponent(values[(round + at) % values.length] ?? "")}`)
          .join("&");
        const { cookie } = visitors[sideOf(path)];
        const answer = await ask(`${pathOf(path)}?${query}&q=again&__proto__=x`, { headers: { cookie } });
        expect([path, round, answer.status < 500]).toEqual([path, round, true]);
        expect([path, (await answer.text()).includes("<img src=x")]).toEqual([path, false]);
        expect(new URL(answer.headers.get("location") ?? ORIGIN, ORIGIN).origin).toBe(ORIGIN);
      }
    }
    expect(await stored()).toBe(before);
  });
});

describe(verifies("routes.closed", "every page that a session is needed for"), { timeout: 60_000 }, () => {
  const closed = GETS.filter((path) => /^\/(admin|account)(\/|$)/.test(path));

  it.each([
    ["nobody", () => ""],
    [
      "a person, at an admin's page, and an admin, at a person's",
      (side: Side) => visitors[side === "admin" ? "account" : "admin"].cookie,
    ],
    ["a session that never was", (side: Side) => `${COOKIES[side]}=${"A".repeat(43)}`],
    [
      "a session that is named after what objects inherit",
      (side: Side) => `${COOKIES[side]}=__proto__; __proto__=x`,
    ],
  ] as const)("OWASP ASVS 5.0 8.2.1: %s sees nothing there", async (_, cookieOf) => {
    const before = await stored();
    for (const path of closed) {
      const answer = await ask(pathOf(path), { headers: { cookie: cookieOf(sideOf(path)) } });
      const text = await answer.text();
      expect([path, [200, 303, 401, 403, 404].includes(answer.status)]).toEqual([path, true]);
      expect([path, text.includes(clientId), /name="csrf"/.test(text), text.includes("Sign out")]).toEqual([
        path,
        false,
        false,
        false,
      ]);
      expect([path, answer.headers.get("cache-control")]).toEqual([path, "no-store"]);
    }
    expect(await stored()).toBe(before);
  });

  it("OWASP ASVS 5.0 8.2.2: one person sees nothing of another at any of them, with the other's ids", async () => {
    expect(await (await visitors.account.browser.open("/account")).text()).toContain("/account/agents/");
    for (const path of closed.filter((each) => sideOf(each) === "account")) {
      const answer = await ask(pathOf(path), { headers: { cookie: others.account.cookie } });
      expect([path, (await answer.text()).includes(clientId)]).toEqual([path, false]);
    }
  });

  it("OWASP ASVS 5.0 8.2.2: acts of one person with another's ids, and with a session and a form of their own, end nothing", async () => {
    const before = await stored();
    for (const path of ACTS.filter((each) => sideOf(each) === "account" && HAS_ID(each))) {
      const answer = await spoiled(path, () => ({}), others.account);
      expect([path, answer.status < 500]).toEqual([path, true]);
      await answer.body?.cancel();
    }
    expect(await stored()).toBe(before);
  });
});

// The last of the file: what these posts end stays ended.
describe(verifies("routes.acts", "the same posts with nothing spoiled"), { timeout: 60_000 }, () => {
  it("OWASP ASVS 5.0 3.5.1: are let in, each with a session of its own", async () => {
    for (const [at, path] of ACTS.entries()) {
      const side = sideOf(path);
      const browser = side === "admin" ? adminBrowser(`198.51.100.${at}`) : accountBrowser("ada");
      const answer = await spoiled(path, () => ({}), await visitorOf(side, await browser));
      expect([path, answer.status < 500, [401, 403, 413, 415].includes(answer.status)]).toEqual([
        path,
        true,
        false,
      ]);
      await answer.body?.cancel();
    }
  });
});
