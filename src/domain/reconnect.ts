// What an agent key gets while its connection needs a person: where that person can bring it back. An OAuth client
// would be challenged to sign in again; whoever holds a key has no browser to do it in. Called by domain/call-gong.

import type { IntegrationConfig } from "../config.ts";
import { randomId } from "../crypto/credential.ts";
import { isModern } from "../mcp/headers.ts";
import type { McpMessage } from "../mcp/message.ts";
import { reconnectAnswer } from "../mcp/reconnect.ts";
import type { Gateway } from "./gateway.ts";
import { openSessionId } from "./mcp-session.ts";

/** The answer to a call of an agent key whose connection has ended at Gong. */
export async function askToReconnect(
  gateway: Gateway,
  integration: IntegrationConfig,
  connectionId: string,
  {
    headers,
    cors,
  }: { readonly headers: Headers; readonly cors: Readonly<Record<string, string>> | undefined },
  message: McpMessage | undefined,
): Promise<Response> {
  const modern = isModern(headers);
  const sessionId = modern ? null : headers.get("mcp-session-id");
  const session = sessionId === null ? undefined : await openSessionId(gateway, connectionId, sessionId);
  const { publicUrl } = gateway.config;
  const shared = integration.access === "shared";
  const { status, body } = reconnectAnswer(
    message,
    { isModern: modern, opensUrls: session?.opensUrls ?? false },
    {
      text: shared
        ? "This agent key works, but its access to Gong has ended. An admin can connect shared access again:"
        : "This agent key works, but its access to Gong has ended. The person it belongs to can connect again:",
      url: shared ? `${publicUrl}/admin/setup` : `${publicUrl}/account`,
      elicitationId: randomId(),
    },
  );
  return Response.json(body, {
    status,
    headers: { ...cors, "cache-control": "no-store", "x-content-type-options": "nosniff" },
  });
}
