// What a client sends from its first request to a tool's answer, as data: the format of the *.json files here, which
// record.ts writes from real clients, and people write from a client's documentation. Replayed by
// test/integration/client-replays.test.ts.

/**
 * One exchange. Values that are new in each run stand in braces: {origin}, {client_id}, {client_secret}, {basic}
 * (client id and secret for HTTP Basic), {code}, {code_challenge}, {code_verifier}, {state}, {access_token},
 * {refresh_token}, {session} (MCP-Session-Id) and {assertion}.
 */
export interface Exchange {
  /** Method and path of a request that the client makes. */
  readonly request?: string;
  /** The path and query that the client opens a browser with; the person approves there, and Gong's page too. */
  readonly browser?: string;
  /** Every header but those of the connection. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, when it is JSON and was written without spaces. */
  readonly json?: unknown;
  /** Any other body. */
  readonly body?: string;
  /** Of a browser's, only for a page that refuses the request and leads nowhere. */
  readonly status?: number;
  /** Part of the answer. */
  readonly says?: string;
  /** The client never got this answer. */
  readonly forgets?: true;
  /** Why an exchange is here that no recording has. */
  readonly added?: string;
}

export interface Recording {
  readonly client: string;
  /** `recorded`: by record.ts, from this version. `documented`: from its maker's words or its users' reports. */
  readonly evidence: "recorded" | "documented";
  /** What is special about it. */
  readonly habits: readonly string[];
  /** Of its PKCE verifier (RFC 7636 §4.1). */
  readonly verifierLength: number;
  readonly exchanges: readonly Exchange[];
}
