// The client doctor's words: for each reason why a step failed, what happened and
// what to do, and the quirk of a client that is known for it. A reason without words
// of its own is shown by its name. MCP authorization; RFC 6749 §4.1.2.1, §5.2.

export interface ReasonWords {
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}

const STEPS: Readonly<Record<string, string>> = {
  discovery: "Discovery",
  registration: "Registration",
  authorize: "Consent page asked for",
  consent: "Person's decision",
  callback: "Sign-in at Gong",
  token: "Token",
  call: "First call",
  device: "Device code asked for",
  code: "Device code entered",
  approval: "Admin's decision",
  refused: "Call",
};

/** What a step of a sign-in is called. */
export const stepInWords = (step: string): string => STEPS[step] ?? step;

const AGAIN = "Remove the server in the client and add it again.";
const CLIENT = "The client has to be mended; tell its maker, or use another client.";
const PERSON = "Let the person try again.";

/** What happened, what to do, and the reasons that mean it; one that ends in `*` stands for all that begin so. */
const GROUPS: readonly (readonly [text: string, advice: string, reasons: string])[] = [
  [
    "Its client id is not known here: the registration has expired or was deleted.",
    AGAIN,
    "client_unknown client_gone client_changed",
  ],
  ["It sent no client id that can be read.", CLIENT, "client_id_malformed client_id_missing"],
  [
    "It wants the answer at a scheme of its own, which any program on the computer could take.",
    "Use mcp-remote in its place.",
    "redirect_uri_private_use",
  ],
  [
    "It asked for the answer at an address that it did not register.",
    AGAIN,
    "redirect_uri_mismatch redirect_uri_missing wrong_redirect_uri",
  ],
  [
    "Its host is not on the list of allowed hosts.",
    "Add it to ALLOWED_REDIRECT_HOSTS.",
    "redirect_host_not_allowed document_host_not_allowed",
  ],
  [
    "What it registers can't be used.",
    CLIENT,
    "redirect_uris_count grant_types_unsupported not_a_string_array client_name_malformed not_a_string invalid_* forbidden_* dot_segment too_long",
  ],
  ["Too many clients are registered.", "Delete some, or raise REGISTRATION_LIMIT.", "registry_full"],
  ["It sent no PKCE challenge with S256.", CLIENT, "code_challenge_*"],
  [
    "It asked for something that this gateway does not do.",
    CLIENT,
    "response_* unsupported_* request_* unauthorized_client",
  ],
  [
    "It named another resource than this gateway's MCP address.",
    "Type the address exactly as the front page shows it.",
    "foreign_resource several_resources wrong_resource invalid_target",
  ],
  ["Its document can't be fetched or used.", "Try later, or put the client into CLIENTS.", "document_*"],
  ["It needs a scope that Gong does not have or did not give.", CLIENT, "invalid_scope insufficient_scope"],
  [
    "The person, or an admin, said no.",
    "Nothing is wrong with the client.",
    "denied_by_person access_denied",
  ],
  ["Its key or token is not this gateway's.", AGAIN, "bearer_foreign"],
  ["It goes on with an access token or agent key that ran out or was ended.", AGAIN, "token_*"],
  [
    "Its Authorization header is not the word Bearer, one space and a token.",
    "Paste the token or key again, without spaces or quotes.",
    "bearer_malformed",
  ],
  [
    "MCP-Protocol-Version, Mcp-Method or Mcp-Name is missing, or says something else than its message.",
    "Look for a proxy in between that drops headers.",
    "mcp_headers",
  ],
  ["Its Accept header must name application/json and text/event-stream.", CLIENT, "mcp_accept"],
  ["Its message breaks MCP's rules.", CLIENT, "mcp_*"],
  ["It runs in a web page that may not call.", "Add the page's origin to ALLOWED_ORIGINS.", "origin_refused"],
  ["No device waits with the code that was typed.", "Type the newest code.", "user_code_*"],
  [
    "Another browser than the one that began went on, or its cookies were lost.",
    PERSON,
    "other_browser cross_site form_unreadable",
  ],
  [
    "The person took more than ten minutes, or opened a page again.",
    PERSON,
    "form_expired expired used busy",
  ],
  [
    "It asked for the other of the two addresses.",
    "Machines use /shared/mcp; assertions about people are for /mcp.",
    "shared_resource personal_resource",
  ],
  ["Shared access is not connected.", "Connect it under Set-up.", "shared_*"],
  ["Too many requests wait for an admin.", "Decide them under Requests.", "too_many_approvals"],
  [
    "Gong, or the person there, refused access.",
    "The person needs a paid seat at Gong, and has to allow access there.",
    "gong_denied",
  ],
  [
    "Gong does not accept the integration.",
    "Compare client ID, secret and redirect URI with Gong's.",
    "gong_misconfigured",
  ],
  ["Gong did not answer as it should.", "Try again later.", "gong_*"],
  ["Its signed assertion was refused.", "Compare key, audience and clock.", "assertion_*"],
  [
    "Its issuer's assertion about a person was refused.",
    "Compare TRUSTED_ISSUERS with the issuer, and the clocks.",
    "identity_assertion_* issuer_keys_* client_public",
  ],
  [
    "The person of the assertion has no connection here.",
    "Let the person sign in once in a browser.",
    "person_not_connected",
  ],
  ["Somebody ended this client here.", "Let a person approve it again in a browser.", "client_ended"],
  [
    "Too many requests came at once.",
    "Wait a minute.",
    "too_often address_rate machine_rate devices_full slow_down",
  ],
  ["The gateway failed, or one of its objects did.", "Try again later.", "failed server_error temporarily_*"],
  [
    "The sign-in broke off between the pages.",
    PERSON,
    "sign_in_* callback_malformed device_unchecked no_decision body_broke_off",
  ],
  [
    "It did not prove who it is in the way that it registered.",
    AGAIN,
    "wrong_method wrong_secret secret_missing basic_* several_* client_id_mismatch wrong_client_id",
  ],
  [
    "It used a code twice within a minute; the first use counted.",
    "Nothing, if it works.",
    "already_redeemed",
  ],
  ["It used a code again later, so all that the code had issued was ended.", AGAIN, "code_replayed"],
  ["Its PKCE verifier does not fit.", CLIENT, "wrong_verifier verifier_malformed"],
  [
    "It used a spent refresh token, so its sign-in was ended.",
    "Sign in again, and look whether two programs share its credentials.",
    "refresh_token_reused",
  ],
  ["It used a code or refresh token under another client id than it was issued to.", AGAIN, "wrong_client"],
  [
    "Its code, refresh token or sign-in is over.",
    PERSON,
    "code_* unknown_* tag_* connection_unknown grant_* refresh_* needs_reconnect not_connected answer_gone state_unknown",
  ],
];

const REASONS: readonly (readonly [pattern: string, words: ReasonWords])[] = GROUPS.flatMap(
  ([text, advice, reasons]) => reasons.split(" ").map((pattern) => [pattern, { text, advice }] as const),
);

/** Why a step failed, for people. */
export function failureInWords(reason: string): ReasonWords {
  const found =
    REASONS.find(([pattern]) => pattern === reason) ??
    REASONS.find(([pattern]) => pattern.endsWith("*") && reason.startsWith(pattern.slice(0, -1)));
  return found?.[1] ?? { text: reason, advice: "Look for the request in the log." };
}

/** Clients that are known for a failure: a pattern of their name or id, the reasons, and what is known. */
const QUIRKS: readonly (readonly [who: RegExp, reasons: RegExp, text: string])[] = [
  [
    /cursor/i,
    /redirect_uri/,
    "Cursor registers three redirect URIs and signs in with cursor://…. mcp-remote works in its place.",
  ],
  [
    /visual studio|vs ?code/i,
    /redirect_uri/,
    "VS Code answers at http://127.0.0.1:33418/ with a slash at the end.",
  ],
  [
    /claude/i,
    /^document_/,
    "claude.ai keeps its document from servers; the gateway has a copy, which may be old.",
  ],
  [
    /opencode/i,
    /redirect_uri/,
    "OpenCode calls back on a path that its own document does not list: put it into CLIENTS.",
  ],
  [/n8n/i, /redirect_uri/, "n8n has registered one redirect URI and used another: compare its base URL."],
  [
    /./,
    /^wrong_client$/,
    "Some clients, mcporter among them, register anew and then send the old refresh token under the new id. The rightful client goes on.",
  ],
  [
    /codex|claude code|copilot|librechat/i,
    /wrong_method/,
    "This client sends HTTP Basic only: set client_secret_basic in CLIENTS.",
  ],
  [/chatgpt|openai/i, /assertion_audience/, "ChatGPT has sent our token endpoint with two slashes."],
  [
    /./,
    /^bearer_malformed$/,
    "Some settings add the word Bearer to a token, others want it typed: it must be there once.",
  ],
  [
    /./,
    /^grant_types_unsupported$/,
    "Gemini CLI registers for nothing once its sign-in has ended: let the person type /mcp auth.",
  ],
  [/./, /^origin_refused$/, "Only clients in a browser, MCP Inspector among them, send an Origin."],
  [/gemini/i, /^mcp_/, "Gemini CLI sends no MCP-Protocol-Version, so it is taken for one of 2025-03-26."],
  [
    /./,
    /resource|invalid_target/,
    "Some clients add a slash to the address, or compare it letter by letter.",
  ],
];

/** What is known of this client and this failure, if anything is. */
export function quirkInWords(client: string, reason: string): string | undefined {
  return QUIRKS.find(([who, reasons]) => who.test(client) && reasons.test(reason))?.[2];
}
