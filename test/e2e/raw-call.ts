// MCP and token requests without a client in between, for tests that look at the bare answer. Called by the operations
// tests here.

import { createAgent, type Agent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import { ASK } from "./story.ts";

export interface SignedIn {
  readonly clientId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Signs a new client in as the person who is at Gong now. */
export async function signIn(mcpUrl: string, fields: Record<string, string> = {}): Promise<SignedIn> {
  const agent: Agent = createAgent({ mcpUrl, person: createPerson(), choices: { fields } });
  await agent.signIn();
  return {
    clientId: agent.registration?.client_id ?? "",
    accessToken: agent.tokens?.access_token ?? "",
    refreshToken: agent.tokens?.refresh_token ?? "",
  };
}

/** MCP 2026-07-28: what every request says of its client. */
const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** `tools/call` of the one question every test asks, as a client of this revision asks it. */
export function askGong(mcpUrl: string, accessToken: string, revision = "2025-06-18"): Promise<Response> {
  const isModern = revision === "2026-07-28";
  return fetch(mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": revision,
      ...(isModern ? { "mcp-method": "tools/call", "mcp-name": ASK.name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { ...ASK, ...(isModern ? { _meta: MODERN_META } : {}) },
    }),
  });
}

/** RFC 6749 §6 for a public client. */
export async function refresh(
  origin: string,
  signedIn: SignedIn,
): Promise<{ status: number } & Partial<SignedIn>> {
  const response = await fetch(`${origin}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: signedIn.clientId,
      refresh_token: signedIn.refreshToken,
    }),
  });
  if (response.status !== 200) return { status: response.status };
  const body = (await response.json()) as { access_token: string; refresh_token: string };
  return { status: 200, accessToken: body.access_token, refreshToken: body.refresh_token };
}
