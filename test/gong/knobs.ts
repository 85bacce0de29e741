// Every way in which this stand-in can behave differently from its default, with the default. One typed object; the
// control API and tests in the same process change it. Each knob names its row in README.md (D, C, I, A, T, R, M, K)
// and why it is a knob: Gong's behaviour is unknown or contested, or a test needs it.
import * as z from "zod";

/** The three scopes that Gong's served metadata lists, in its order. */
export const SCOPES = ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"] as const;

export const TOOL_NAMES = ["ask_account", "ask_deal", "generate_brief"] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

const milliseconds = z.number().int().min(0);
const toolNames = z.array(z.enum(TOOL_NAMES));

const discovery = {
  /** D2. Absent in August 2026, advertised in September 2026. Also switches the endpoint itself on (I7). Contested. */
  registrationEndpoint: z.boolean().default(false),
};

const challenge = {
  /** C1. As recorded by a third party the URL has no quotes; whether the recording lost them is unknown. */
  challengeUrlQuoted: z.boolean().default(false),
  /** C2. Whether Gong adds `error="invalid_token"` for an expired or unknown token is unknown. */
  challengeNamesInvalidToken: z.boolean().default(false),
  /** C5. An IP list or a firewall in front of Gong: 403 with an HTML body. Unknown for MCP, documented for REST. */
  refusedAddressAt: z.enum(["nowhere", "token", "mcp", "everywhere"]).default("nowhere"),
};

const integrations = {
  /** I4. One user found that the form takes https only; another guide lists a loopback URI. Contested. */
  httpRedirectsTaken: z.boolean().default(false),
  /** I5. What deleting an integration, or deactivating a person, does to live access tokens is unknown. */
  accessAfterRemoval: z.enum(["dies_at_once", "lives_to_expiry"]).default("dies_at_once"),
  /** I5. The error that a refresh then gets is unknown. */
  refreshAfterRemoval: z.enum(["invalid_client", "invalid_grant"]).default("invalid_grant"),
  /** I7. Redirect URIs that automatic registration takes. Which ones Gong approved is not public. */
  approvedRedirectUris: z.array(z.string()).default(["https://approved-client.test/callback"]),
};

const authorize = {
  /** Test need: answer at once as if the person had pressed a button, or show the page with the buttons. */
  authorizePage: z.enum(["approve", "deny", "page"]).default("approve"),
  /** Test need: who is signed in at Gong in this browser. The cookie `gong_user` goes first. */
  signedInAs: z.string().default("ada"),
  /** Test need: how long the authorize page takes. */
  authorizeDelayMs: milliseconds.default(0),
  /** Test need: a person who allowed this integration before is not asked again. */
  skipConsentForReturningPerson: z.boolean().default(false),
  /** A2. Only paid seats can use the MCP server (documented); where the others are stopped is unknown. */
  seatRefusedAt: z.enum(["authorize", "token", "call"]).default("authorize"),
  /** A6. What becomes of a scope that the integration lacks is unknown. */
  scopeNotOnIntegration: z.enum(["invalid_scope", "left_out"]).default("invalid_scope"),
  /** A7. S256 is advertised (documented); whether it is mandatory is unknown. */
  pkceRequired: z.boolean().default(false),
  /** A8. RFC 8707 `resource`: recorded, or refused unless it is the MCP URL, or ignored. Unknown. */
  resource: z.enum(["accepted", "must_be_mcp_url", "ignored"]).default("accepted"),
  /** A9. Test need: a `state` that is not ours, or none. */
  callbackState: z.enum(["echoed", "wrong", "missing"]).default("echoed"),
  /** A9. Test need: parameters nobody asked for, or twice the same one. */
  callbackExtra: z.enum(["none", "unknown_parameter", "code_twice", "state_twice"]).default("none"),
  /** A9. RFC 9207 `iss`: Gong does not advertise it, so absent; the others are a test need. */
  callbackIss: z.enum(["absent", "own", "foreign"]).default("absent"),
};

const token = {
  /** T2. Ten minutes is documented for REST; assumed here. */
  codeLifeSeconds: z.number().default(600),
  /** T2. Whether a second use of a code also ends the tokens it gave is unknown (RFC 6749 §4.1.2: SHOULD). */
  codeReuse: z.enum(["refused", "refused_and_revokes"]).default("refused"),
  /** T5. REST takes query parameters too (third party); unknown here. */
  queryParametersTaken: z.boolean().default(false),
  /** T6, T8. One day is documented for REST. Short lives of 1 to 5 s are a test need. */
  expiresInSeconds: z.number().default(86_400),
  /** T7. How `expires_in` is written. */
  expiresInForm: z.enum(["number", "string", "absent"]).default("number"),
  /** T7. REST names the customer's API host in the answer (documented for REST). */
  apiBaseUrlInAnswer: z.boolean().default(false),
  /** T7. `scope` may be missing. */
  scopeInAnswer: z.boolean().default(true),
  /** T6, T7. A JWT with `uid` on REST (third party); unknown here. */
  accessTokenForm: z.enum(["jwt", "opaque", "jwt_4kb"]).default("jwt"),
  /** T7. Answers with status 200 that are no token answer; seen with other vendors. */
  tokenAnswer: z.enum(["usual", "no_access_token", "html"]).default("usual"),
  /** T9. RFC 6749 §5.2 JSON is assumed; the REST shape is documented for REST; the rest is defensive. */
  errorBody: z.enum(["rfc", "gong_rest", "html", "empty", "text"]).default("rfc"),
};

const refresh = {
  /** R1, R2. Single use is a third party's statement about REST; everything else about MCP is unknown. */
  refreshMode: z
    .enum([
      "single_use",
      "reuse_revokes_family",
      "grace",
      "not_rotating",
      "omitted",
      "old_valid_until_new_used",
    ])
    .default("single_use"),
  /** R2. How long a spent refresh token still works in mode `grace`. */
  graceSeconds: z.number().default(30),
  /** R5. Test need: a slow token endpoint makes parallel refreshes overlap. The delay is before processing. */
  tokenDelayMs: milliseconds.default(0),
  /** R6. Whether the old access token works after a refresh is unknown. */
  accessAfterRefresh: z.enum(["lives", "dies"]).default("lives"),
  /** R7. Whether one person's second authorization ends the first is unknown. */
  secondAuthorization: z.enum(["both_live", "first_dies"]).default("both_live"),
};

const mcp = {
  /** M1. Third-party client code takes both; what Gong sends is unknown. */
  answerAs: z.enum(["json", "sse"]).default("json"),
  /** M2. Unknown at Gong. */
  sessions: z.boolean().default(false),
  /** M3. GET answers 405, or opens an SSE stream. Unknown at Gong. */
  getStream: z.boolean().default(false),
  /** M3. DELETE answers 405, or ends the session. Unknown at Gong. */
  deleteEndsSession: z.boolean().default(false),
  /** M4. The first is the counter-offer. Third parties have sent these two; Gong's answer is not recorded. */
  protocolVersions: z.array(z.string()).min(1).default(["2025-06-18", "2025-03-26"]),
  /** M5. Whether Gong refuses an `Accept` without both types is unknown. */
  strictAccept: z.boolean().default(false),
  /** M7. `legacy` = revisions with `initialize`; `modern` = 2026-07-28. Unknown at Gong. */
  era: z.enum(["legacy", "modern", "both"]).default("legacy"),
  /** M1, K5. SSE comment lines while an answer is awaited; 0 sends none. */
  keepAliveMs: milliseconds.default(15_000),
  /** M8. Test need: headers added to every MCP answer that the server makes (see HOSTILE_HEADERS). */
  extraHeaders: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** M8. Test need: the tool asks the person something first (elicitation, or `input_required` in 2026-07-28). */
  asksBeforeAnswer: z.boolean().default(false),
};

const tools = {
  /** K2. One scope gates one tool (third party); which one is a guess from the names. */
  scopeTools: z.record(z.string(), toolNames).default({
    "mcp:ai-ask:read": ["ask_account"],
    "mcp:ai-assistant:read": ["ask_deal"],
    "mcp:ai-briefer:read": ["generate_brief"],
  }),
  /** K3. With more than one, a call that names none fails (third party). */
  workspaces: z.array(z.string()).min(1).default(["Main"]),
  /** K4. Whether Gong sends `structuredContent` is unknown. */
  structuredContent: z.boolean().default(false),
  /** K5. 12 to 15 s measured by a third party on the backing REST call; 0 so that unit tests are quick. */
  toolLatencyMs: milliseconds.default(0),
  /** Test need: calls wait until it is false, so that a test decides what happens while they run. */
  toolsHeld: z.boolean().default(false),
  /** K6. Every call costs, and a brief costs more (documented). The figures are made up. */
  creditsPerCall: z
    .record(z.enum(TOOL_NAMES), z.number())
    .default({ ask_account: 1, ask_deal: 1, generate_brief: 4 }),
  /** K6. Whether an abandoned or cancelled call is charged is unknown: charged when it starts, or when it answers. */
  chargedAt: z.enum(["start", "answer"]).default("start"),
  /** K10. Whether a connection that breaks during a call ends the call (revisions with `initialize`). Unknown. */
  disconnectCancels: z.boolean().default(false),
  /** K7. Credits that the company bought; null means plenty. Calls beyond them are refused and not charged. */
  creditBalance: z.number().nullable().default(null),
  /** K7. REST answers 402 (third party); the form over MCP is unknown. */
  creditsUsedUpAs: z.enum(["tool_error", "http_402"]).default("tool_error"),
  /** K7. Whether anything but a call is refused without credits is unknown; `tools/list` is not said to cost any. */
  creditsRefusedAt: z.enum(["call", "every_request"]).default("call"),
  /** K8. Briefs that an admin published. */
  publishedBriefs: z.array(z.string()).default(["Account overview"]),
};

const testing = {
  /** Test need: Gong's clock minus ours, in seconds; lets tests expire codes and tokens without waiting. */
  clockOffsetSeconds: z.number().default(0),
};

const knobsSchema = z.strictObject({
  ...discovery,
  ...challenge,
  ...integrations,
  ...authorize,
  ...token,
  ...refresh,
  ...mcp,
  ...tools,
  ...testing,
});

/** All knobs with a value. */
export type Knobs = z.output<typeof knobsSchema>;
export type KnobChanges = Partial<Knobs>;

/** M8: what a careless or hostile upstream could add to an answer, for `extraHeaders`. Not Gong's. */
export const HOSTILE_HEADERS: Array<[string, string]> = [
  ["set-cookie", "gong_session=stolen; Path=/; HttpOnly"],
  ["location", "https://evil.test/"],
  ["connection", "x-named-by-connection"],
  ["x-named-by-connection", "hop"],
  ["keep-alive", "timeout=999"],
  ["proxy-authenticate", 'Basic realm="evil"'],
  ["www-authenticate", 'Bearer resource_metadata="https://evil.test/"'],
  ["access-control-allow-origin", "https://evil.test"],
  ["access-control-allow-credentials", "true"],
  ["cache-control", "public, max-age=31536000"],
  ["etag", '"gong"'],
  ["clear-site-data", '"*"'],
];

/** The knobs of a fresh instance. */
export function defaultKnobs(): Knobs {
  return knobsSchema.parse({});
}

/**
 * `knobs` with `changes` laid over it. Throws a ZodError naming each unknown knob and each value of a wrong type.
 */
export function changeKnobs(knobs: Knobs, changes: unknown): Knobs {
  const asRecord = z.record(z.string(), z.unknown()).parse(changes);
  return knobsSchema.parse({ ...knobs, ...asRecord });
}
