// MCP session ids of the legacy revisions (MCP 2025-11-25, Streamable HTTP, Session Management). Gong's id is sealed
// for the connection it was given to, so that another person's id, a guessed one and a stolen one name no session.

import { open, seal, Unsealable, type SealContext } from "../crypto/seal.ts";
import type { Gateway } from "./gateway.ts";

const LONGEST_ID = 1024;
const MOST_ENTRIES = 5000;

/** Ids opened by this isolate. A cache: losing it costs one decryption. */
const opened = new Map<string, { readonly connectionId: string; readonly upstreamId: string }>();

/** Our id for Gong's session `upstreamId`, good on this connection only. */
export async function sealSessionId(
  gateway: Gateway,
  connectionId: string,
  upstreamId: string,
): Promise<string> {
  const sessionId = await seal(gateway.keyring, place(gateway, connectionId), upstreamId);
  remember(sessionId, connectionId, upstreamId);
  return sessionId;
}

/** Gong's id for one of ours. Undefined when it is not a session of this connection. */
export async function openSessionId(
  gateway: Gateway,
  connectionId: string,
  sessionId: string,
): Promise<string | undefined> {
  const known = opened.get(sessionId);
  if (known !== undefined) return known.connectionId === connectionId ? known.upstreamId : undefined;
  if (sessionId.length > LONGEST_ID) return undefined;
  try {
    const upstreamId = await open(gateway.keyring, place(gateway, connectionId), sessionId);
    remember(sessionId, connectionId, upstreamId);
    return upstreamId;
  } catch (error) {
    if (error instanceof Unsealable) return undefined;
    throw error;
  }
}

function remember(sessionId: string, connectionId: string, upstreamId: string): void {
  const [oldest] = opened.keys();
  if (opened.size >= MOST_ENTRIES && oldest !== undefined) opened.delete(oldest);
  opened.set(sessionId, { connectionId, upstreamId });
}

function place(gateway: Gateway, connectionId: string): SealContext {
  return {
    purpose: "mcp-session",
    environment: gateway.config.publicUrl,
    object: connectionId,
    field: "session",
    generation: 0,
  };
}
