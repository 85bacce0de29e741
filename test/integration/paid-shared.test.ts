// Who gets what somebody else on the connection paid for: agents of shared access, a caller whose payer leaves a question of
// Gong's unanswered, and nobody an error. Asserted against what the stand-in Gong charged.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { makeKey } from "../support/agent-key.ts";
import { rows } from "../support/connection.ts";
import { call } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { INITIALIZE, type Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  leave,
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
  await gong.knobs({ toolLatencyMs: 300, era: "both" });
  await setPolicy({});
  await begin();
});

type Client = Pick<Connected, "tokens">;

const SHARED = { path: "/shared/mcp" };

/** Two agents of shared access, each with a key of its own. */
async function twoSharedAgents(): Promise<readonly [Client, Client]> {
  await connectSharedAs(await adminBrowser());
  const entries = await env.ADMIN.getByName("admin").listConnections(100);
  const id = entries.find(({ integration }) => integration === "shared")?.id ?? "";
  const [{ tokens }] = await twoClients();
  const agent = async (): Promise<Client> => {
    const { key } = await makeKey(id);
    return { tokens: { ...tokens, access_token: key } };
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
      const paying = askPaid(first, SHARED);
      await untilAtGong();
      const joined = await answerOf(await askPaid(second, { id: 2, ...SHARED }));
      expect(servedNote(joined)?.how).toBe("joined");
      expect(JSON.stringify(joined)).toContain("CANARY-company-2b9d41");
      await (await paying).text();
      expect(await gong.credits()).toBe(1);
    },
  );
});

describe(verifies("paid.cancelled", "a payer that leaves a question unanswered"), () => {
  it("MCP 2025-11-25, Elicitation: who joined is told that the call was left unfinished, and Gong charges nothing", async () => {
    await gong.knobs({ answerAs: "sse", sessions: true, era: "legacy", asksBeforeAnswer: true });
    const [ada, other] = await twoClients();
    const params = { ...INITIALIZE.params, capabilities: { elicitation: {} } };
    const begun = await call(ada.tokens.access_token, { ...INITIALIZE, params });
    await begun.text();
    await gong.fault({ endpoint: "mcp", fault: { kind: "delay", ms: 1000 } });
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
