// The main story in one piece: from an agent's first 401 to Gong's answer.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, ASK_ACCOUNT, call, connect } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

describe(verifies("main.story", "an agent signs in and gets its answer from Gong"), () => {
  it("MCP authorization: the first call is challenged with the metadata to go on with", async () => {
    const response = await ask("/mcp", { method: "POST", body: "{}" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain(
      'resource_metadata="https://gateway.test/.well-known/oauth-protected-resource/mcp"',
    );
  });

  it("gateway: after consent, Gong, callback and token, tools/call is answered by Gong for this person", async () => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("CANARY-ada-7f3a90");
    expect(await gong.credits()).toBe(1);
  });
});
