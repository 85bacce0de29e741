// MCP session ids of the legacy revisions (MCP 2025-11-25, Streamable HTTP, Session Management). Gong's id is sealed
// for the connection it was given to, so that another person's id, a guessed one and a stolen one name no session.

import { open, seal, Unsealable, type SealContext } from "../crypto/seal.ts";
import type { Gateway } from "./gateway.ts";

/** JSON-RPC 2.0 §5.1: in the range left to implementations. */
export const SESSION_NOT_FOUND = -32_001;

const LONGEST_ID = 1024;
const MOST_ENTRIES = 5000;

export interface UpstreamSession {
  /** Gong's own id. */
  readonly upstreamId: string;
  /** Whether the client said, when the session began, that it can open URLs for a person. */
  readonly opensUrls: boolean;
}

// Gong's id is visible ASCII without spaces, so that this can't begin one.
const OPENS_URLS = "url ";

/** Ids opened by this isolate. A cache: losing it costs one decryption. */
const opened = new Map<string, UpstreamSession & { readonly connectionId: string }>();

/** Our id for a session at Gong, good on this connection only. */
export async function sealSessionId(
  gateway: Gateway,
  connectionId: string,
  { upstreamId, opensUrls }: UpstreamSession,
): Promise<string> {
  const text = opensUrls ? `${OPENS_URLS}${upstreamId}` : upstreamId;
  const sessionId = await seal(gateway.keyring, place(gateway, connectionId), text);
  remember(sessionId, { connectionId, upstreamId, opensUrls });
  return sessionId;
}

/** Gong's session for an id of ours. Undefined when it is not a session of this connection. */
export async function openSessionId(
  gateway: Gateway,
  connectionId: string,
  sessionId: string,
): Promise<UpstreamSession | undefined> {
  const known = opened.get(sessionId);
  if (known !== undefined) return known.connectionId === connectionId ? known : undefined;
  if (sessionId.length > LONGEST_ID) return undefined;
  try {
    const text = await open(gateway.keyring, place(gateway, connectionId), sessionId);
    const opensUrls = text.startsWith(OPENS_URLS);
    const session = { upstreamId: opensUrls ? text.slice(OPENS_URLS.length) : text, opensUrls };
    remember(sessionId, { ...session, connectionId });
    return session;
  } catch (error) {
    if (error instanceof Unsealable) return undefined;
    throw error;
  }
}

function remember(sessionId: string, session: UpstreamSession & { readonly connectionId: string }): void {
  const [oldest] = opened.keys();
  if (opened.size >= MOST_ENTRIES && oldest !== undefined) opened.delete(oldest);
  opened.set(sessionId, session);
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
