// Words of the account page: what happened to a connection, what an act has just done, and who vouches for an agent.

/** What an act has just done, by the name in the address of the page it leads to. */
const DONE = new Map<string, string>([
  ["agent_ended", "The agent's access has ended. Its next call to Gong is refused."],
  ["key_revoked", "The agent key was revoked. Its next call to Gong is refused."],
  ["agents_ended", "The access of all agents has ended. Their next calls to Gong are refused."],
  ["calls_erased", "The record of your calls was erased."],
  ["disconnected", "Your connection has ended. The gateway has deleted its Gong tokens."],
  [
    "other_person",
    "Gong says that you are another person than before. This is that person's account; nothing of the other one was changed.",
  ],
]);

/** The words for `done`; undefined for anything that is not on the list, since anybody can write an address. */
export function doneInWords(done: string | undefined): string | undefined {
  return done === undefined ? undefined : DONE.get(done);
}

const EVENTS = new Map<string, string>([
  ["connected", "Connected at Gong"],
  ["reconnected", "Connected at Gong again"],
  ["disconnected", "Connection ended"],
  ["needs_reconnect", "Connection lost"],
  ["refresh.failed", "Gong's tokens could not be renewed"],
  ["agent.approved", "Agent approved"],
  ["agent.ended", "Agent's access ended"],
  ["key.created", "Agent key created"],
  ["key.revoked", "Agent key revoked"],
  ["account.signed_in", "Signed in to this page"],
  ["account.signed_out", "Signed out of this page"],
  ["account.signed_out_everywhere", "Signed out of this page in every browser"],
]);

/** What happened, in words. An action without words of its own is shown by its name. */
export function eventInWords(action: string): string {
  return EVENTS.get(action) ?? action;
}

export type Registration = "preregistered" | "metadata_document" | "dynamic";

/** How far an agent's name is to be trusted, as a badge. */
export const REGISTRATION_IN_WORDS: Record<
  Registration,
  { readonly tone: "good" | "plain" | "warn"; readonly badge: string }
> = {
  preregistered: { tone: "good", badge: "Set up by your admin" },
  metadata_document: { tone: "plain", badge: "Known by its web address" },
  dynamic: { tone: "warn", badge: "Name not verified" },
};
