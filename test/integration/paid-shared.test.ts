// Who gets what somebody else on the connection paid for: agents of shared access, a caller whose payer leaves a
// question of Gong's unanswered, and nobody an error. Asserted against what the stand-in Gong charged.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { connectionOf, makeKey } from "../support/agent-key.ts";
import { rows } from "../support/connection.ts";
import { call } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { connectAs, INITIALIZE, type Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  leave,
  letGo,
  messagesOf,
  reusing,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both" });
  await setPolicy({});
  await begin();
});

type Client = Pick<Connected, "tokens">;

const SHARED = { path: "/shared/mcp" };

/** An agent of shared access, by its key. */
type SharedAgent = Client & { readonly keyId: string };

/** Two agents of shared access, each with a key of its own. */
async function twoSharedAgents(): Promise<readonly [SharedAgent, SharedAgent]> {
  await connectSharedAs(await adminBrowser());
  const entries = await env.ADMIN.getByName("admin").listConnections(100);
  const id = entries.find(({ integration }) => integration === "shared")?.id ?? "";
  const [{ tokens }] = await twoClients();
  const agent = async (): Promise<SharedAgent> => {
    const made = await makeKey(id);
    return { keyId: made.id, tokens: { ...tokens, access_token: made.key } };
  };
  return [await agent(), await agent()];
}

describe(verifies("paid.reused", "results of shared access"), () => {
  it.each([
    ["are not shared", false, undefined, 2],
    ["are shared", true, "reused", 1],
  ] as const)(
    "gateway: results %s: what one agent was given goes to another that asks the same only if the policy says so",
    async (_, shareResults, how, credits) => {
      const [first, second] = await twoSharedAgents();
      await setPolicy({ ...reusing(300), shareResults });
      await (await askPaid(first, SHARED)).text();
      expect(servedNote(await answerOf(await askPaid(second, { id: 2, ...SHARED })))?.how).toBe(how);
      expect(await gong.credits()).toBe(credits);
      expect(servedNote(await answerOf(await askPaid(first, { id: 3, ...SHARED })))?.how).toBe("reused");
      expect(await gong.credits()).toBe(credits);
    },
  );
});

describe(verifies("paid.joined", "calls of shared access"), () => {
  it.each([false, true])(
    "gateway: shareResults %s: agents who ask the same at the same time are one call at Gong",
    async (shareResults) => {
      const [first, second] = await twoSharedAgents();
      await setPolicy({ shareResults });
      await gong.knobs({ toolsHeld: true });
      const paying = askPaid(first, SHARED);
      await untilAtGong();
      const joining = askPaid(second, { id: 2, ...SHARED });
      await letGo(1);
      const joined = await answerOf(await joining);
      expect(servedNote(joined)?.how).toBe("joined");
      expect(JSON.stringify(joined)).toContain("CANARY-company-2b9d41");
      await (await paying).text();
      expect(await gong.credits()).toBe(1);
    },
  );
});

describe(verifies("paid.joined", "policy.calls", "who may join, and be given what is kept"), () => {
  const { guards } = DEFAULT_POLICY;
  const DENIED = { deny: ["ask_account"] };

  it.each([
    ["a rule for its key", (keyId: string): Partial<Policy> => ({ keys: { [keyId]: DENIED } })],
    ["a rule for shared access", () => ({ access: { ...DEFAULT_POLICY.access, shared: DENIED } })],
    ["a cost guard on the account", () => ({ guards: { ...guards, denyAccounts: ["Globex"] } })],
    ["a cost guard on the range", () => ({ guards: { ...guards, rangeRequired: true } })],
  ])("gateway: %s that denies the call denies joining it, and its kept result", async (_, changes) => {
    const [first, second] = await twoSharedAgents();
    await gong.knobs({ toolsHeld: true, answerAs: "sse" });
    const paying = await askPaid(first, { ...SHARED, meta: { progressToken: 1 } });
    await untilAtGong();
    await setPolicy(changes(second.keyId));
    const denied = async (): Promise<void> => {
      const answer = await answerOf(await askPaid(second, { id: 2, ...SHARED }));
      expect(answer.result?.isError).toBe(true);
      expect(JSON.stringify(answer)).not.toContain("CANARY");
    };
    await denied();
    await leave(paying);
    await letGo();
    await rowsWhen((all) => all.some(({ served, outcome }) => served === "paid" && outcome === "ok"));
    await denied();
    await setPolicy({});
    const allowed = await answerOf(await askPaid(second, { id: 3, ...SHARED }));
    expect(servedNote(allowed)?.how).toBe("recovered");
    expect(await gong.credits()).toBe(1);
  });

  it("MCP authorization, Scope Challenge: a client without the tool's scope joins nothing, nor a key without the tool", async () => {
    await gong.knobs({ toolsHeld: true });
    const [ada] = await twoClients();
    const briefer = await connectAs("ada", { scope: "mcp:ai-briefer:read" });
    const { key } = await makeKey(await connectionOf(ada.tokens.access_token), { tools: ["ask_deal"] });
    const paying = askPaid(ada);
    await untilAtGong();
    expect((await askPaid(briefer)).status).toBe(403);
    const held = await answerOf(await askPaid({ tokens: { ...ada.tokens, access_token: key } }));
    expect(held.result?.isError).toBe(true);
    await letGo();
    expect((await answerOf(await paying)).result?.isError).toBeUndefined();
    expect(await gong.credits()).toBe(1);
  });
});

describe(verifies("paid.cancelled", "a payer that leaves a question unanswered"), () => {
  it("MCP 2025-11-25, Elicitation: who joined is told that the call was left unfinished, and Gong charges nothing", async () => {
    await gong.knobs({ answerAs: "sse", sessions: true, era: "legacy", asksBeforeAnswer: true });
    const [ada, other] = await twoClients();
    const params = { ...INITIALIZE.params, capabilities: { elicitation: {} } };
    const begun = await call(ada.tokens.access_token, { ...INITIALIZE, params });
    await begun.text();
    await gong.fault({ endpoint: "mcp", fault: { kind: "delay", ms: 3000 } });
    const paying = askPaid(ada, { session: begun.headers.get("mcp-session-id") ?? "" });
    await rowsWhen((all) => all.some(({ served }) => served === "paid"));
    const joining = askPaid(other, { id: "joined" });
    await rowsWhen((all) => all.some(({ served }) => served === "joined"));
    await leave(await paying);
    const joined = await joining;
    expect(joined.status).toBe(200);
    expect((await messagesOf(joined)).at(-1)).toMatchObject({ id: "joined", error: { code: -32_003 } });
    expect(await gong.credits()).toBe(0);
  });
});

describe(verifies("paid.recovered", "a JSON-RPC error"), () => {
  it("JSON-RPC 2.0 §5.1: an error of Gong's is neither kept nor reused, and the next call asks Gong again", async () => {
    const tools = { ...reusing(300).tools, no_such_tool: { pays: true, weight: 1, reuseSeconds: 300 } };
    await setPolicy({ tools, holdBack: "none" });
    const [ada, other] = await twoClients();
    for (const [at, client] of [ada, other, ada].entries()) {
      const answer = await answerOf(await askPaid(client, { id: at, tool: "no_such_tool" }));
      expect(answer).toMatchObject({ id: at, error: { code: -32_602 } });
      const found = await rowsWhen((all) => all.length === at + 1 && all[0]?.outcome !== "running");
      expect(found[0]).toMatchObject({ served: "paid", outcome: "rpc_error" });
    }
    expect(await rows(await connectionUsed(), "kept_results")).toEqual([]);
  });
});
