// The client doctor's words: for each reason why a step failed, what happened and what to do, and the quirk of a client that
// is known for it. A reason without words of its own is shown by its name. MCP authorization; RFC 6749 §4.1.2.1, §5.2.

export interface ReasonWords {
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}

const STEPS: Readonly<Record<string, string>> = {
  registration: "Registration",
  authorize: "Consent page asked for",
  consent: "Person's decision",
  callback: "Sign-in at Gong",
  token: "Token",
  call: "First call",
};

/** What a step of a sign-in is called. */
export const stepInWords = (step: string): string => STEPS[step] ?? step;

const AGAIN = "Remove the server in the client and add it again.";
const CLIENT = "The client has to be mended; tell its maker, or use another client.";
const PERSON = "Let the person try again.";

/** Reasons in groups: what happened, what to do, and the constants that mean it. */
const GROUPS: readonly (readonly [text: string, advice: string, reasons: string])[] = [
  [
    "It used a client id that is not known here: its registration has expired or was deleted.",
    AGAIN,
    "client_unknown client_gone client_changed",
  ],
  ["It sent no client id, or one that can't be read.", CLIENT, "client_id_malformed client_id_missing"],
  [
    "It asked for the answer at an address that it did not register.",
    AGAIN,
    "redirect_uri_mismatch redirect_uri_unknown wrong_redirect_uri",
  ],
  ["It named no address for the answer, and registered none or several.", CLIENT, "redirect_uri_missing"],
  [
    "It wants the answer at a scheme of its own, which any program on the computer could take.",
    "Use mcp-remote in its place, or a client with a loopback address.",
    "private_use_scheme redirect_uri_private_use",
  ],
  [
    "The address for the answer is not on the list of allowed hosts.",
    "Add the host to ALLOWED_REDIRECT_HOSTS, or use a listed client.",
    "redirect_host_not_allowed document_host_not_allowed",
  ],
  [
    "A redirect URI that it registers is not allowed.",
    CLIENT,
    "forbidden_form forbidden_character dot_segment too_long not_a_string redirect_uris_count invalid_redirect_uri",
  ],
  ["Its registration can't be used.", CLIENT, "invalid_client_metadata"],
  [
    "Too many clients are registered.",
    "Delete unused registrations, or raise REGISTRATION_LIMIT.",
    "registry_full",
  ],
  [
    "It sent no PKCE challenge, or not with S256.",
    CLIENT,
    "code_challenge_missing code_challenge_method_unsupported code_challenge_malformed",
  ],
  [
    "It asked for something that this gateway does not do.",
    CLIENT,
    "response_type_missing response_mode_unsupported unsupported_response_type request_not_supported request_uri_not_supported unsupported_grant_type unauthorized_client",
  ],
  [
    "It asked for a scope that Gong does not have.",
    "Ask for the scopes in the metadata, or for none.",
    "invalid_scope",
  ],
  [
    "It named another resource than this gateway's MCP address.",
    "Type the MCP address exactly as the front page shows it.",
    "invalid_target foreign_resource several_resources wrong_resource",
  ],
  [
    "The document that its client id names could not be fetched.",
    "Try again later; if it stays so, put the client into CLIENTS.",
    "document_unreachable document_absent document_too_many_fetches",
  ],
  [
    "The document that its client id names can't be used.",
    CLIENT,
    "document_address_refused document_too_long document_not_json document_other_client_id document_name_refused document_redirect_uris_refused document_flow_refused document_secret_refused document_method_refused document_keys_refused",
  ],
  ["The person said no.", "Nothing is wrong with the client.", "denied_by_person"],
  [
    "The approval was posted by another browser than the one that showed it, or without its cookie.",
    PERSON,
    "other_browser cross_site form_unreadable",
  ],
  ["The approval or the sign-in took more than ten minutes.", PERSON, "form_expired expired"],
  [
    "Shared access is not connected.",
    "Connect it on the overview.",
    "shared_not_connected shared_connection_failed",
  ],
  ["Too many requests wait for an admin.", "Decide those under Requests.", "too_many_approvals"],
  [
    "The page Gong led back to was opened twice, too late, or by nobody's sign-in.",
    PERSON,
    "used busy state_unknown callback_malformed failed",
  ],
  [
    "Gong, or the person there, refused access.",
    "The person needs a paid seat at Gong, and has to allow access there.",
    "gong_denied",
  ],
  [
    "Gong does not accept the client ID, the secret or the redirect URI of the integration.",
    "Compare GONG_CLIENT_ID, GONG_CLIENT_SECRET and the redirect URI with Gong's.",
    "gong_misconfigured",
  ],
  [
    "Gong did not answer as it should.",
    "Try again later.",
    "gong_unavailable gong_rate_limited gong_malformed gong_expired",
  ],
  [
    "It did not prove who it is: wrong secret, or another way than it registered.",
    AGAIN,
    "wrong_method wrong_secret secret_missing basic_malformed several_mechanisms client_id_mismatch wrong_client_id",
  ],
  [
    "Its signed assertion was refused.",
    "Compare its key, audience and clock with the metadata.",
    "assertion_malformed assertion_algorithm assertion_unsupported assertion_type assertion_too_old assertion_too_long assertion_replayed assertion_not_yet assertion_lives_too_long assertion_key_id assertion_issuer assertion_id assertion_header assertion_expired assertion_audience",
  ],
  [
    "It used a code twice, within a minute. The first use counted.",
    "Nothing to do when it works.",
    "already_redeemed",
  ],
  ["It used a code again later. What the code had issued was ended for safety.", AGAIN, "code_replayed"],
  [
    "Its code is unknown or has expired: a code lives for 60 seconds.",
    PERSON,
    "code_expired code_unknown unknown_code tag_invalid_or_expired connection_unknown grant_unknown",
  ],
  ["Its PKCE verifier does not fit.", CLIENT, "wrong_verifier verifier_malformed"],
  [
    "It used a refresh token that is spent. The sign-in was ended for safety.",
    "Let the person sign in again. Look whether two programs share its credentials.",
    "refresh_token_reused",
  ],
  ["It used a refresh token under another client id than it was issued to.", AGAIN, "wrong_client"],
  [
    "Its sign-in was ended, or has run out.",
    PERSON,
    "grant_revoked grant_expired refresh_expired answer_gone unknown_token",
  ],
];

const REASONS = new Map(
  GROUPS.flatMap(([text, advice, reasons]) =>
    reasons.split(" ").map((reason) => [reason, { text, advice }] as const),
  ),
);

/** Why a step failed, for people. */
export function failureInWords(reason: string): ReasonWords {
  return REASONS.get(reason) ?? { text: reason, advice: "Look for the request in the log." };
}

/** Clients that are known for a failure: a pattern of their name or id, the reasons, and what is known. */
const QUIRKS: readonly (readonly [who: RegExp, reasons: RegExp, text: string])[] = [
  [
    /cursor/i,
    /private_use|redirect_uri/,
    "Cursor registers three redirect URIs and signs in with cursor://…, which is refused at sign-in. mcp-remote works in its place.",
  ],
  [
    /visual studio code|vs ?code|vscode/i,
    /redirect_uri/,
    "VS Code answers at http://127.0.0.1:33418/ with a slash at the end; a registration without it does not match.",
  ],
  [
    /claude\.ai|claude/i,
    /^document_/,
    "claude.ai keeps its document from servers. The gateway has a copy; if Anthropic changed it, update the gateway.",
  ],
  [
    /opencode/i,
    /redirect_uri/,
    "OpenCode 1.18.33 calls back on a path that its own document does not list. Put it into CLIENTS with http://127.0.0.1:19876/mcp/oauth/callback.",
  ],
  [
    /n8n/i,
    /redirect_uri/,
    "n8n has registered one redirect URI and used another. Compare the base URL in its settings.",
  ],
  [
    /mcporter/i,
    /wrong_client|client_unknown/,
    "mcporter registers anew at each cold start and then sends the old refresh token under the new id.",
  ],
  [
    /./,
    /^wrong_client$/,
    "Some clients register anew while signed in and then send the old refresh token under the new id. The rightful client goes on.",
  ],
  [
    /codex|claude code/i,
    /wrong_method/,
    "With a secret of your own this client sends HTTP Basic only: set client_secret_basic in CLIENTS.",
  ],
  [
    /copilot|librechat|power/i,
    /wrong_method/,
    "This client sends HTTP Basic whatever it registered: set client_secret_basic in CLIENTS.",
  ],
  [
    /chatgpt|openai/i,
    /assertion_audience/,
    "ChatGPT has sent the token endpoint with two slashes as audience. PUBLIC_URL must not end with one.",
  ],
  [
    /gemini/i,
    /invalid_target/,
    "Gemini CLI compares addresses exactly: type the MCP address without a slash at the end.",
  ],
  [
    /vscode|visual studio code|ai sdk/i,
    /invalid_target/,
    "This client adds a slash to the address or compares it exactly: type it as the front page shows it.",
  ],
];

/** What is known of this client and this failure, if anything is. */
export function quirkInWords(client: string, reason: string): string | undefined {
  return QUIRKS.find(([who, reasons]) => who.test(client) && reasons.test(reason))?.[2];
}
