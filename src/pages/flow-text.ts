// The one place for words about Gong's scopes, its two kinds of access, and the states of a connection, so that
// consent, waiting and admin pages say the same thing the same way.

export interface ScopeWords {
  title: string;
  /** The Gong tools that this scope opens, by their MCP names. */
  tools: readonly string[];
  text: string;
}

// Gong publishes its three scopes and its three tools; which scope opens which tool is a reading of their names,
// and the consent page says so.
const SCOPES = new Map<string, ScopeWords>(
  Object.entries({
    "mcp:ai-ask:read": {
      title: "Ask about accounts",
      tools: ["ask_account"],
      text: "Put questions about an account to Gong, answered from its calls and emails.",
    },
    "mcp:ai-assistant:read": {
      title: "Ask about deals",
      tools: ["ask_deal"],
      text: "Put questions about a deal to Gong, answered from its calls and emails.",
    },
    "mcp:ai-briefer:read": {
      title: "Write briefs",
      tools: ["generate_brief"],
      text: "Have Gong write a brief on an account, a deal or a contact from calls and emails.",
    },
  }),
);

/** What a Gong scope lets a client do. A scope that is not one of Gong's three is named as unknown, never guessed. */
export function scopeInWords(scope: string): ScopeWords {
  return (
    SCOPES.get(scope) ?? {
      title: "A permission this gateway does not know",
      tools: [],
      text: "Gong decides what it opens.",
    }
  );
}

export type Access = "personal" | "shared";

/** The two kinds of access that Gong gives an integration, each as a name and one sentence. */
export const ACCESS_IN_WORDS: Record<Access, { title: string; text: string }> = {
  personal: { title: "Personal access", text: "Only what you can see in Gong yourself." },
  shared: {
    title: "Shared access",
    text: "All of your company's Gong data, whoever asks. An admin of this gateway must approve it too.",
  },
};

export interface StateWords {
  label: string;
  tone: "good" | "warn" | "plain";
}

const STATES = new Map<string, StateWords>(
  Object.entries({
    connected: { label: "Connected", tone: "good" },
    refreshing: { label: "Connected, being refreshed", tone: "good" },
    needs_reconnect: { label: "Needs to be connected again", tone: "warn" },
    disconnected: { label: "Ended", tone: "plain" },
  }),
);

/** A connection's state for people. A state without words of its own is shown by its name. */
export function stateInWords(state: string): StateWords {
  return STATES.get(state) ?? { label: state, tone: "plain" };
}

const REASONS = new Map<string, string>(
  Object.entries({
    ended_by_gong: "Gong no longer accepts its refresh token.",
    answer_not_understood: "Gong answered with tokens in a form that this version can't read.",
    answer_lost: "Gong's answer with the next tokens was lost on the way.",
    no_refresh_token: "Gong gave no refresh token, and the access token has run out.",
    integration_replaced: "The integration at Gong was replaced by another one.",
    restored: "Its stored state was restored to an older one, whose tokens are spent.",
    no_agent_left: "Its last client was removed.",
    unused: "Nothing could use it any more.",
    ended_by_person: "It was ended on the account page.",
    ended_by_admin: "An admin ended it.",
    connection_ended: "The connection it used was ended.",
    revoked_by_client: "The client itself ended it.",
    ended_before_restore: "It had ended before a restore of the storage.",
    denied: "Gong refused the last refresh.",
    misconfigured: "Gong does not accept the client ID, the client secret or the redirect URI.",
    rate_limited: "Gong asks for fewer requests. The gateway tries again by itself.",
    unavailable: "Gong did not answer. The gateway tries again by itself.",
    malformed: "Gong's answer could not be understood. The gateway tries again by itself.",
    unreadable: "The key that opens its tokens is not in SEALING_KEYS.",
    failed: "The gateway's own storage failed. It tries again by itself.",
  }),
);

/** Why a connection is in its state. A reason without words of its own is shown by its name. */
export function reasonInWords(reason: string): string {
  return REASONS.get(reason) ?? reason;
}

const DUE = new Map<string, string>(
  Object.entries({
    no_refresh_token: "Gong gave no refresh token, so its access ends with the access token.",
    answer_not_understood: "Gong answered with tokens in a form that this version can't read.",
    sign_ins_end: "the sign-ins of all its clients reach the longest life that the settings allow.",
  }),
);

/** Why a person will have to sign in again. */
export function dueInWords(why: string): string {
  return DUE.get(why) ?? why;
}
