// /admin/clients and /admin/registrations: finding clients, ending one everywhere, deleting a registration.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { act, adminBrowser, adminForm } from "../support/admin.ts";
import { rowsOf } from "../support/evidence.ts";
import {
  ASK_ACCOUNT,
  askToken,
  call,
  redeem,
  register,
  signIn,
  type TestBrowser,
  type Tokens,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { readHtml } from "../support/read-html.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";

beforeEach(() => gong.reset());

const pageOf = (clientId: string) => `/admin/client?${new URLSearchParams({ id: clientId })}`;

async function textOf(browser: TestBrowser, path: string): Promise<string> {
  const answer = await browser.open(path);
  expect(answer.status).toBe(200);
  return readText(await answer.text());
}

async function signedIn(clientId: string): Promise<Tokens> {
  const { searchParams } = await signIn(clientId);
  return redeem(clientId, searchParams.get("code") ?? "");
}

describe(verifies("admin.clients", "the clients an admin sees and ends"), () => {
  it("gateway: a client that got a token is listed with how it is verified and where its answers go", async () => {
    const admin = await adminBrowser();
    const { client_id: id } = await register({ client_name: "Desk <b>one</b>" });
    await signedIn(id);
    const text = await textOf(admin, `/admin/clients?q=${id}`);
    for (const shown of ["Desk <b>one</b>", id, "it registered itself", "http://127.0.0.1:7777/callback"])
      expect(text).toContain(shown);
    expect(await textOf(admin, pageOf(id))).toContain("1 connection");
    expect(await textOf(admin, "/admin/clients?q=nobody")).toContain("Nothing matches.");
    expect(await textOf(admin, "/admin/clients?registration=preregistered")).toContain("Nothing matches.");
  });

  it("gateway: ended everywhere, its tokens stop at once on every connection, and others go on", async () => {
    const admin = await adminBrowser();
    const [{ client_id: ended }, { client_id: other }] = [await register(), await register()];
    const first = await signedIn(ended);
    const kept = await signedIn(other);
    const answer = await act(admin, /\/client\/end$/, {}, pageOf(ended));
    expect(answer.status).toBe(303);
    expect((await call(first.access_token, ASK_ACCOUNT)).status).toBe(401);
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: ended,
      refresh_token: first.refresh_token,
    });
    expect(refreshed.status).toBe(401);
    expect((await call(kept.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({
      actor: "admin",
      action: "client.ended",
      target: ended,
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("RFC 7591: a deleted registration is invalid_client at the token endpoint, and is in the audit", async () => {
    const admin = await adminBrowser();
    const { client_id: id } = await register();
    const tokens = await signedIn(id);
    expect((await act(admin, /\/client\/forget$/, {}, pageOf(id))).status).toBe(303);
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: id,
      refresh_token: tokens.refresh_token,
    });
    expect([refreshed.status, await refreshed.json()]).toMatchObject([401, { error: "invalid_client" }]);
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ action: "registration.deleted" });
  });

  it("ASVS 8.3.1: a client nobody knows is 404 and changes nothing", async () => {
    const admin = await adminBrowser();
    const { csrf = "" } = (await adminForm(admin, /sign-out$/)).fields;
    const before = await rowsOf("ADMIN", "audit");
    for (const path of ["/admin/client/end", "/admin/client/forget"])
      for (const id of [`gcl_${"A".repeat(22)}`, "../x", "https://nobody.test/c", "' OR 1=1 --"])
        expect((await admin.post(path, { csrf, id })).status).toBe(404);
    expect(await rowsOf("ADMIN", "audit")).toEqual(before);
  });

  it("ASVS 1.2.1: whatever a client calls itself stays text in the lists and on its page", async () => {
    const admin = await adminBrowser();
    const ids = await Promise.all(
      XSS_CORPUS.map(async (payload) => (await register({ client_name: payload })).client_id),
    );
    const pages = ["/admin/registrations", ...ids.map(pageOf)];
    for (const path of pages) {
      const { elements, structure } = await readHtml(await (await admin.open(path)).text());
      const main = elements.filter(({ tag }) =>
        /^(script|img|iframe|object|embed|base|link|video|xss)$/.test(tag),
      );
      expect([path, main]).toEqual([path, []]);
      expect(structure).not.toMatch(/\bon[a-z]+\b/);
    }
  });
});

describe(verifies("list.paging", "ten thousand registrations"), () => {
  it("gateway: all sixteen shards make one list, fifty at a time, and a search finds one", async () => {
    const admin = await adminBrowser();
    const now = Math.floor(Date.now() / 1000);
    for (let shard = 0; shard < 16; shard += 1) {
      const object = env.REGISTRY.getByName(`shard-${shard}`);
      await object.find("x");
      await object.useAssertion({ client: "c", tokenId: `t${shard}`, usableUntil: now + 60 });
      await runInDurableObject(object, (_, { storage }) =>
        storage.transactionSync(() => {
          for (let at = shard; at < 10_000; at += 16)
            storage.sql.exec(
              `INSERT INTO clients (id, name, redirect_uris, auth_method, grant_types, created_at, expires_at)
               VALUES (?, ?, '["https://c.test/"]', 'none', 'authorization_code', ?, ?)`,
              `gcl_${String(at).padStart(22, "0")}`,
              `Client ${at}`,
              now - 20_000 + at,
              now + 86_400,
            );
        }),
      );
    }
    let path = "/admin/registrations?q=c.test";
    const seen: string[] = [];
    for (let page = 0; page < 4; page += 1) {
      const html = await (await admin.open(path)).text();
      expect(readText(html)).toContain("10,000 match");
      seen.push(...[...html.matchAll(/<bdi>(Client \d+)<\/bdi>/g)].map(([, name]) => name ?? ""));
      path = (/rel="next" href="([^"]+)"/.exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, at) => `Client ${9999 - at}`));
    const back = await (await admin.open(path)).text();
    const previous = (/rel="prev" href="([^"]+)"/.exec(back)?.[1] ?? "").replaceAll("&amp;", "&");
    const html = await (await admin.open(previous)).text();
    const names = [...html.matchAll(/<bdi>(Client \d+)<\/bdi>/g)].map(([, name]) => name);
    expect(names).toEqual(seen.slice(150));
    expect(await textOf(admin, "/admin/registrations?q=Client+4321")).toContain("1 matches");
  }, 60_000);
});
