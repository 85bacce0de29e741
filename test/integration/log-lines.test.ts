// What an operator finds in the log on the day of an outage: Gong's failures with Gong's status, the request that a
// person quotes from an error page, and a page for what only an operator can mend.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser } from "../support/admin.ts";
import { recordLogs } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, call, connect, register, signIn, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

let logs: readonly string[] = [];
/** The lines that wake somebody. */
let paging: readonly string[] = [];
beforeEach(async () => {
  await gong.reset();
  logs = recordLogs(["info", "warn"]);
  paging = recordLogs(["error"]);
});
afterEach(() => void vi.restoreAllMocks());

const lines = (event: string): readonly Record<string, unknown>[] =>
  logs
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/;

describe(verifies("operations.outage_logged", "gateway: Gong fails"), () => {
  it.each([
    ["a call that is not paid", TOOLS_LIST, 503],
    ["a call that is not paid", TOOLS_LIST, 200],
    ["a paid call", ASK_ACCOUNT, 503],
  ])("%s: %o is one warning with Gong's status %i, and pages nobody", async (_, message, status) => {
    const { tokens } = await connect();
    const fault = status === 200 ? ({ kind: "html" } as const) : ({ kind: "status", status } as const);
    await gong.fault({ endpoint: "mcp", fault, times: "always" });
    expect((await call(tokens.access_token, message)).status).toBeGreaterThanOrEqual(500);
    expect(lines("mcp.upstream_failed")).toEqual([
      expect.objectContaining({ kind: "answer", status, connection: expect.any(String) }),
    ]);
    expect(paging).toEqual([]);
  });

  it("a client secret that Gong refuses at a sign-in pages somebody; a person who says no pages nobody", async () => {
    const { client_id: clientId } = await register();
    await gong.knobs({ authorizePage: "deny" });
    await signIn(clientId);
    expect(paging).toEqual([]);
    await gong.knobs({ authorizePage: "approve" });
    const fault = { kind: "oauth_error", error: "invalid_client", status: 401 } as const;
    await gong.fault({ endpoint: "token", fault });
    await signIn(clientId);
    expect(paging).toEqual([expect.stringContaining('"kind":"misconfigured"')]);
  });
});

describe(verifies("operations.refusal_logged", "gateway: a call is refused at /mcp"), () => {
  it("a body that is too long is one line, as the client's doing", async () => {
    const { tokens } = await connect();
    const tooLong = { ...TOOLS_LIST, params: { filler: "x".repeat(1_048_576) } };
    expect((await call(tokens.access_token, tooLong)).status).toBe(413);
    expect(lines("mcp.refused")).toEqual([expect.objectContaining({ status: 413, code: "invalid_request" })]);
  });

  it("a list of Gong's that can't be read is one line, and the client doctor does not blame the client", async () => {
    const { clientId, tokens } = await connect();
    const unreadable = { headers: { "content-type": "application/json" }, body: "[]" };
    await gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 200, ...unreadable } });
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(502);
    expect([...lines("tools.unreadable"), ...lines("mcp.refused")]).toHaveLength(1);
    const doctor = `/admin/client?${new URLSearchParams({ id: clientId })}`;
    const trace = await (await adminBrowser()).open(doctor);
    expect(trace.status).toBe(200);
    expect(await trace.text()).not.toContain("mcp_message");
  });
});

describe(
  verifies("operations.request_named", "gateway: a person quotes the request ID of an error page"),
  () => {
    it("the line that says why has it", async () => {
      const response = await ask("/authorize?client_id=gcl_nobody");
      expect(response.status).toBe(400);
      const [shown] = UUID.exec(await response.text()) ?? [];
      expect(shown).toBeDefined();
      expect(lines("page.refused")).toEqual([expect.objectContaining({ requestId: shown })]);
    });
  },
);
