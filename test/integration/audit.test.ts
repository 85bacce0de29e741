// The audit's rows: each names the request that caused it, whoever acted and wherever.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { sha256 } from "../../src/crypto/encoding.ts";
import { verifies } from "../conformance/verifies.ts";
import { ACCOUNT_COOKIE, accountBrowser, accountPage } from "../support/account.ts";
import { act, adminBrowser, connectSharedAs, decide, signInAs, waitForShared } from "../support/admin.ts";
import { rowsOf } from "../support/evidence.ts";
import { ASK_ACCOUNT, call, SHARED_RESOURCE, TestBrowser, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";

beforeEach(() => gong.reset());

const KEY = { name: "Nightly job", tools: "all", days: "30" };

async function asAdmin(): Promise<void> {
  await signInAs(new TestBrowser(), "not the token", "192.0.2.9");
  const admin = await adminBrowser();
  await connectSharedAs(admin);
  await decide(admin, await waitForShared(), "approve");
  await act(admin, /setup\/check$/, {}, "/admin/setup");
  await act(admin, /\/agent-keys$/, { ...KEY, resource: SHARED_RESOURCE }, "/admin/agent-keys");
  await act(admin, /agent-keys\/.+\/revoke$/, {}, "/admin/agent-keys");
  await act(admin, /policy\/budgets$/, { warnAtPercent: "81" }, "/admin/policy");
  await act(admin, /keys\/sweep$/, {}, "/admin/sealing-keys");
  await act(admin, /sessions\/end$/, {}, "/admin/sessions");
}

async function asPerson(): Promise<void> {
  await connectAs("ada");
  const agent = await connectAs("ada");
  await call(agent.tokens.access_token, TOOLS_LIST);
  await call(agent.tokens.access_token, ASK_ACCOUNT);
  const person = await accountBrowser("ada");
  const press = async (action: RegExp, fields: Record<string, string> = {}): Promise<void> => {
    const form = readForms(await accountPage(person)).find((candidate) => action.test(candidate.action));
    if (form === undefined) throw new Error(`The account page has no form for ${action}`);
    await person.post(form.action, { ...Object.fromEntries(form.fields), ...fields });
  };
  await press(/account\/keys$/, KEY);
  await press(/keys\/.+\/revoke$/);
  await press(/agents\/.+\/end$/);
  await press(/disconnect$/);
  expect(person.cookies.has(ACCOUNT_COOKIE)).toBe(true);
}

it(
  verifies(
    "audit.request",
    "ASVS 16.2.1: an act of an admin, a person, a stranger and the gateway names its request",
  ),
  async () => {
    await asAdmin();
    await asPerson();
    const definition = JSON.stringify({ name: "unseen_tool" });
    const unseen = { name: "unseen_tool", hash: await sha256(definition), definition };
    await env.ADMIN.getByName("admin").noteTools(
      { integration: "main", revision: "2025-11-25" },
      [unseen],
      crypto.randomUUID(),
    );
    const rows = await rowsOf("ADMIN", "audit");
    const causes = (cause: string) =>
      new Set(rows.filter((row) => row["cause"] === cause).map((row) => row["action"]));
    expect(causes("admin")).toEqual(
      new Set([
        "session.opened",
        "shared.connected",
        "approval.approved",
        "setup.checked",
        "agent_key.created",
        "agent_key.revoked",
        "policy.changed",
        "keys.swept",
        "sessions.ended",
        "tool.held_back",
      ]),
    );
    expect(causes("person")).toEqual(
      new Set(["agent_key.created", "agent_key.revoked", "agent.ended", "connection.ended"]),
    );
    expect(causes("stranger")).toEqual(new Set(["session.refused", "consent.approved"]));
    const nameless = rows.filter(
      (row) =>
        !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(JSON.stringify(row["request_id"]).slice(1, -1)),
    );
    expect(nameless).toEqual([]);
  },
);
