// What an agent key gets while its connection needs a person: where that person can bring it back. An OAuth client
// would be challenged to sign in again; whoever holds a key has no browser to do it in. Called by domain/call-gong.

import { randomId } from "../crypto/credential.ts";
import { isModern } from "../mcp/headers.ts";
import type { McpMessage } from "../mcp/message.ts";
import { reconnectAnswer, type ReconnectAnswer } from "../mcp/reconnect.ts";
import type { McpCall } from "./mcp-answers.ts";
import { openSessionId } from "./mcp-session.ts";

/** The answer to a call of an agent key whose connection has ended at Gong. */
export async function askToReconnect(
  { gateway, integration, headers }: McpCall,
  message: McpMessage | undefined,
  connectionId: string,
): Promise<ReconnectAnswer> {
  const modern = isModern(headers);
  const sessionId = modern ? null : headers.get("mcp-session-id");
  const session = sessionId === null ? undefined : await openSessionId(gateway, connectionId, sessionId);
  const { publicUrl } = gateway.config;
  const shared = integration.access === "shared";
  return reconnectAnswer(
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
}
