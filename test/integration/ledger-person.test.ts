// Who a row of the ledger is about, as far as the gateway knows: never more than is kept of people anyway, shown to
// admins by address, in the clear nowhere.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ACCESS_HEADER, newAccessTeam } from "../support/access.ts";
import { act, adminBrowser, adminForm, connectSharedAs, decide } from "../support/admin.ts";
import { makeKey, personWithKey } from "../support/agent-key.ts";
import { actorNamed } from "../support/actor.ts";
import { rows } from "../support/connection.ts";
import { everythingStored } from "../support/evidence.ts";
import {
  agreeAtGong,
  approve,
  ask,
  ASK_ACCOUNT,
  authorizationQuery,
  call,
  redeem,
  register,
  sealedRequest,
  SHARED_RESOURCE,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { accessTokenOf, askAsMachine, basic } from "../support/machine.ts";
import { connectAs } from "../support/mcp.ts";
import { begin, connectionUsed, ledgerRows, rowsWhen } from "../support/paid.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const SHARED = { path: "/shared/mcp" };

beforeEach(async () => {
  await gong.reset();
  await begin();
});

/** A browser as Cloudflare Access lets it through for `email`. */
async function throughAccess(email: string): Promise<TestBrowser> {
  const team = await newAccessTeam(email);
  const gateway: Ask = gatewayWith({ ...team.settings });
  const token = await team.token(email);
  return new TestBrowser((path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set(ACCESS_HEADER, token);
    return gateway(path, { ...init, headers });
  });
}

const codeOf = (location: string | null): string => new URL(location ?? "").searchParams.get("code") ?? "";

async function paidRow(accessToken: string, where: object = {}) {
  expect((await call(accessToken, ASK_ACCOUNT, where)).status).toBe(200);
  const [row] = await rowsWhen((all) => all.length > 0 && all.every(({ outcome }) => outcome !== "running"));
  return row;
}

async function shownTo(admin: TestBrowser): Promise<{ readonly page: string; readonly file: string }> {
  const id = (await connectionUsed()).name ?? "";
  const page = readText(await (await admin.open(`/admin/spend/${id}`)).text());
  const file = await (await admin.open(`/admin/spend/${id}/export?format=ndjson`)).text();
  return { page, file };
}

describe(verifies("admin.names", "names in place of ids"), () => {
  it("gateway: spend, connections, the audit and both files say whose a connection is, and what a client and a key are called", async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const { client_id: clientId } = await register();
    const browser = await throughAccess(email);
    await gong.signIn("ada");
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const code = codeOf((await browser.open(callback)).headers.get("location"));
    await paidRow((await redeem(clientId, code)).access_token);
    const connection = await connectionUsed();
    const id = connection.name ?? "";
    const key = await makeKey(id, { name: "Night job" });
    expect((await call(key.key, ASK_ACCOUNT)).status).toBe(200);
    const counted = { from: "2000-01-01", to: "9999-12-31", groupBy: "key", connectionId: id } as const;
    await vi.waitFor(async () => expect(await env.ADMIN.getByName("admin").usage(counted)).toHaveLength(2));
    const admin = await adminBrowser();
    const textOf = async (path: string) => readText(await (await admin.open(path)).text());
    expect(await textOf("/admin/spend?by=connection")).toContain(`${email} · Test client, Night job`);
    expect(await (await admin.open("/admin/spend?by=client")).text()).toContain(
      `<a href="/admin/client?id=${clientId}"><bdi>Test client</bdi></a>`,
    );
    expect(await (await admin.open("/admin/spend?by=key")).text()).toContain(
      `<a href="/admin/agent-keys?q=${key.id}"><bdi>Night job</bdi></a>`,
    );
    expect(await textOf("/admin/connections")).toContain(`${email} · Test client, Night job`);
    expect(await textOf(`/admin/spend/${id}`)).toContain(`${email} · Test client, Night job`);
    const ledger = await (await admin.open(`/admin/spend/${id}/export?format=ndjson`)).text();
    expect(ledger).toContain(`"connection":"${id}","connection_name":"${email}"`);
    await act(admin, new RegExp(`${id}/end$`), {}, `/admin/connections/${id}`);
    expect(await textOf(`/admin/audit?q=${id}`)).toContain(email);
    const audit = await (await admin.open(`/admin/audit/export?format=ndjson&q=${id}`)).text();
    expect(audit).toContain(`"target":"${id}","target_name":"${email}"`);
  });
});

describe(verifies("paid.person", "the person of a paid call"), () => {
  it("gateway: personal access through Cloudflare Access is known by the address, which no ledger has in the clear", async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await gong.signIn("ada");
    const { client_id: clientId } = await register();
    const browser = await throughAccess(email);
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const code = codeOf((await browser.open(callback)).headers.get("location"));
    const row = await paidRow((await redeem(clientId, code)).access_token);
    expect(row?.person).toMatch(/^access:[A-Za-z0-9_-]{22}$/);
    // Once: in the audit.
    expect((await everythingStored()).split(email)).toHaveLength(2);
    const { page, file } = await shownTo(await adminBrowser());
    expect(page).toContain(email);
    expect(file).toContain(`"person":"${email}"`);
    const connection = await connectionUsed();
    await connection.eraseLedger();
    expect(await rows(connection, "paid_calls")).toEqual([]);
    await connection.disconnect("ended_by_person");
    expect((await rows(connection, "connection"))[0]?.["person"]).toBeNull();
    expect(await ledgerRows()).toEqual([]);
  });

  it("gateway: without Access it is the connection's own Gong user, whose name nobody told us, keys included", async () => {
    const { tokens } = await connectAs("grace");
    expect((await paidRow(tokens.access_token))?.person).toBe("gong-user");
    const { key } = await personWithKey("grace", { createdBy: actorNamed("person", "person") });
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const all = await rowsWhen((found) => found.length === 2);
    expect(all.map(({ person }) => person)).toEqual(["gong-user", "gong-user"]);
    expect((await shownTo(await adminBrowser())).page).toContain("The connection's Gong user");
  });

  it("gateway: on shared access it is whoever asked for it through Access, and the connection is not theirs", async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const admin = await adminBrowser();
    await connectSharedAs(admin);
    const { client_id: clientId } = await register();
    const browser = await throughAccess(email);
    const query = authorizationQuery(clientId, { resource: SHARED_RESOURCE });
    const request = sealedRequest(await (await browser.open(`/authorize?${query}`)).text());
    const waiting = await browser.post("/authorize", { request, decision: "approve" });
    const path = new URL(waiting.headers.get("location") ?? "").pathname;
    await decide(admin, { path }, "approve");
    const code = codeOf((await browser.open(path)).headers.get("location"));
    const tokens = await redeem(clientId, code);
    const row = await paidRow(tokens.access_token, SHARED);
    expect(row?.person).toMatch(/^access:/);
    expect((await shownTo(admin)).page).toContain(email);
    const hash = row?.person?.slice("access:".length) ?? "";
    expect(await env.ADMIN.getByName("admin").connectionsOfPerson(hash)).toEqual([]);
  });

  it("gateway: for a key and a machine client of shared access it is whoever made them", async () => {
    const admin = await adminBrowser();
    await connectSharedAs(admin);
    const { fields } = await adminForm(admin, /sign-out$/);
    const made = await admin.post("/admin/machine-clients", {
      csrf: fields["csrf"] ?? "",
      name: "Nightly",
      "scope:mcp:ai-ask:read": "1",
      proof: "secret",
      days: "90",
    });
    const text = readText(await made.text());
    const [id = "", secret = ""] = [/gmc_[\w-]{22}/.exec(text)?.[0], /gcs_[\w-]{43}/.exec(text)?.[0]];
    const token = await accessTokenOf(await askAsMachine(ask, {}, basic(id, secret)));
    expect((await paidRow(token, SHARED))?.person).toBe("made by admin");
    const shared = await connectionUsed();
    const { key } = await makeKey(shared.name ?? "", { createdBy: actorNamed("boss@example.com") });
    expect((await call(key, ASK_ACCOUNT, SHARED)).status).toBe(200);
    const all = await rowsWhen((found) => found.length === 2);
    expect(all.map(({ person }) => person)).toEqual(["made by boss@example.com", "made by admin"]);
    const page = await (
      await admin.open(`/admin/spend/${shared.name ?? ""}?q=made+by+boss%40example.com`)
    ).text();
    expect(readText(page)).toContain("made by boss@example.com");
    expect(readText(page)).not.toContain("made by admin");
    expect(readForms(page).length).toBeGreaterThan(0);
  });
});
