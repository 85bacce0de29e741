import type { Requirement } from "../requirement.ts";

export const signIn = {
  "main.story": {
    source: "MCP authorization",
    behaviour: "From an agent's first 401 through consent, Gong and token to Gong's answer, in one go.",
  },
  "authorize.no_open_redirector": {
    source: "RFC 9700 §4.11.2",
    behaviour:
      "An error is redirected only to clients that an admin registered; for others it stays on a page.",
  },
  "authorize.no_repeats": {
    source: "RFC 6749 §3.1",
    behaviour: "A parameter that comes twice is refused on a page, whichever value comes first.",
  },
  "authorize.client_known": {
    source: "RFC 6749 §4.1.2.1",
    behaviour: "A client that is not known gets a page without a redirect and without an echo of its id.",
  },
  "authorize.dangerous_schemes": {
    source: "RFC 9700 §4.11.1, MCP authorization, Communication Security",
    behaviour: "Nothing but https and http on loopback is ever redirected to, whatever is stored.",
  },
  "authorize.get_changes_nothing": {
    source: "MCP Security Best Practices, Confused Deputy",
    behaviour: "GET /authorize stores nothing, asks Gong nothing, and can be repeated.",
  },
  "authorize.upstream_request": {
    source: "RFC 9700 §2.1, RFC 7636 §7.1",
    behaviour: "State and PKCE for Gong are fresh for every approval and have nothing of the client's.",
  },
  "consent.every_client": {
    source: "MCP Security Best Practices, Confused Deputy",
    behaviour: "Every sign-in of every client is put to the person, also when Gong would not ask.",
  },
  "consent.own_page_only": {
    source: "RFC 9700 §4.7",
    behaviour: "A decision is taken only from a page of this origin, by every header that tells.",
  },
  "consent.form_bound_to_browser": {
    source: "RFC 9700 §4.7",
    behaviour: "A consent form works once it is whole, in the browser that asked for it, and nowhere else.",
  },
  "consent.form_lives_ten_minutes": {
    source: "gateway",
    behaviour: "A consent form works for ten minutes, and a reload does not end it.",
  },
  "consent.once": {
    source: "RFC 9700 §4.7",
    behaviour: "One consent form begins one sign-in, however often it is sent.",
  },
  "consent.shown_is_granted": {
    source: "OWASP ASVS 15.3.3",
    behaviour: "A decision is about what the page showed; nothing else in the form is read.",
  },
  "consent.deny": {
    source: "RFC 6749 §4.1.2.1, RFC 9207 §2",
    behaviour: "Denying tells the client so with its own state, and goes nowhere near Gong.",
  },
  "consent.client_still_there": {
    source: "RFC 7592 §2.3",
    behaviour: "A client removed during a sign-in gets neither a code nor a token.",
  },
  "callback.state": {
    source: "RFC 6749 §10.12, RFC 9700 §4.7",
    behaviour:
      "A callback without a state that this gateway minted is refused before any object or Gong is asked.",
  },
  "callback.browser_bound": {
    source: "RFC 9700 §4.7, MCP Security Best Practices",
    behaviour: "A callback counts only in the browser that approved, proven by its cookie.",
  },
  "callback.once": {
    source: "RFC 9700 §4.5",
    behaviour: "However often a callback arrives, Gong's code is exchanged once and one grant is opened.",
  },
  "callback.reload": {
    source: "gateway",
    behaviour: "A reload of the callback within a minute leads to the same place and opens nothing more.",
  },
  "callback.recovered": {
    source: "gateway",
    behaviour:
      "Gong's answer to a sign-in is kept before it is read: after a crash the reload, or the alarm, goes on from it, once.",
  },
  "callback.lost": {
    source: "RFC 6749 §4.1.2",
    behaviour:
      "A sign-in that died before Gong's answer says so soon and begins again; Gong's code is never sent twice.",
  },
  "callback.newest_wins": {
    source: "gateway",
    behaviour:
      "A sign-in that is finished late undoes neither a newer one, nor a refresh, nor the end of the connection.",
  },
  "callback.code_injection": {
    source: "RFC 9700 §4.5, RFC 7636",
    behaviour: "A Gong code that belongs to another sign-in is worth nothing.",
  },
  "callback.parameters": {
    source: "RFC 6749 §3.1",
    behaviour: "A callback with repeated or abnormal parameters is refused and leaves the sign-in usable.",
  },
  "callback.issuer": {
    source: "RFC 9207 §2.4",
    behaviour: "A callback that names another issuer is not exchanged.",
  },
  "callback.gong_error": {
    source: "RFC 6749 §4.1.2.1",
    behaviour: "Gong's error becomes the client's error, in our words, and wins over a code beside it.",
  },
  "callback.exchange_failed": {
    source: "RFC 6749 §4.1.2.1",
    behaviour:
      "Whatever Gong's token endpoint answers instead of tokens, the client is told and nothing is kept.",
  },
  "callback.method": {
    source: "RFC 9110 §9.3",
    behaviour: "Only a GET completes a sign-in; other methods leave it usable.",
  },
  "callback.expires": {
    source: "gateway",
    behaviour: "A sign-in must come back from Gong within ten minutes.",
  },
  "urls.from_settings": {
    source: "RFC 9700 §4.10, OWASP ASVS 4.1.3",
    behaviour: "Every URL we emit comes from the settings, whatever host the request names.",
  },
  "metadata.nothing_else": {
    source: "RFC 8414 §3",
    behaviour: "Every well-known that is not served is a plain 404.",
  },
  "metadata.truthful": {
    source: "RFC 8414 §2",
    behaviour: "What the metadata lists works, and what it does not list is refused.",
  },
  "http.methods": {
    source: "RFC 6749 §3.2",
    behaviour:
      "Endpoints of the authorization server answer other methods with 405 and never read a URL's query.",
  },
  "http.cors": {
    source: "Fetch §3.2",
    behaviour: "Machine endpoints may be read from any origin without credentials; pages from none.",
  },
  "code.pkce": {
    source: "RFC 7636 §4.6, RFC 9700 §4.8.2",
    behaviour: "A code is worth nothing without its verifier, and a wrong one does not spend it.",
  },
  "code.once": {
    source: "RFC 6749 §4.1.2, RFC 9700 §4.5",
    behaviour: "A code is redeemed once; a late second use ends what the first one gave.",
  },
  "code.bound": {
    source: "RFC 6749 §4.1.3",
    behaviour: "A code belongs to its client and redirect URI; a stranger's try leaves it alone.",
  },
  "code.short_lived": {
    source: "RFC 6749 §4.1.2, OWASP ASVS 10.4.3",
    behaviour: "A code can be redeemed for sixty seconds.",
  },
  "token.forged": {
    source: "gateway",
    behaviour: "A credential with a wrong tag is refused before any object is asked, and ends nothing.",
  },
  "token.kinds": {
    source: "OWASP ASVS 9.2.2",
    behaviour: "A credential of one kind is never taken for another.",
  },
  "token.answer": {
    source: "RFC 6749 §5.1",
    behaviour: "A token answer has the five members and nothing of Gong's.",
  },
  "token.refused_before_spent": {
    source: "RFC 8707 §2.2, RFC 6749 §6",
    behaviour: "A wrong resource or scope is refused before a code or refresh token is spent.",
  },
  "token.client_authentication": {
    source: "RFC 6749 §2.3, §5.2",
    behaviour: "A client proves itself by the method it registered, and by no other.",
  },
  "token.basic": {
    source: "RFC 6749 §2.3.1, RFC 7617",
    behaviour: "HTTP Basic is form-decoded, and anything malformed is 401.",
  },
  "token.form_only": {
    source: "RFC 6749 §3.2, §4.1.3",
    behaviour: "Token requests are one urlencoded form in UTF-8, each parameter once, nothing in the URL.",
  },
  "token.grant_types": {
    source: "RFC 6749 §5.2",
    behaviour: "Only the two grant types of the metadata are served, each to clients registered for it.",
  },
  "refresh.reuse": {
    source: "RFC 9700 §4.14.2, OAuth 2.1 §4.3.1",
    behaviour: "A refresh token used after its time ends the family.",
  },
  "refresh.lost_answer": {
    source: "RFC 9700 §4.14.2",
    behaviour: "A client that lost the answer gets the same one again; two live successors never exist.",
  },
  "refresh.parallel": {
    source: "RFC 9700 §4.14.2",
    behaviour: "Parallel refreshes get one and the same successor, and the family lives.",
  },
  "refresh.narrows_only": {
    source: "RFC 6749 §6, RFC 8707 §2.2",
    behaviour: "A refresh can narrow an access token and never widen it or aim it elsewhere.",
  },
  "refresh.ends": {
    source: "OWASP ASVS 10.4.8",
    behaviour: "A grant ends by its absolute date, however often it is refreshed.",
  },
  "refresh.without_gong": {
    source: "gateway",
    behaviour: "Our refresh works while Gong is down, and asks it nothing.",
  },
  "registration.endpoint": {
    source: "RFC 7591 §3",
    behaviour: "Registration takes one JSON object and answers with what the server chose.",
  },
  "registration.client_id": {
    source: "RFC 7591 §3.2.1",
    behaviour: "Client ids are the server's own: random, never a URL, never the client's choice.",
  },
  "revocation.owner": {
    source: "RFC 7009 §2.1",
    behaviour: "A token is ended by the client it was issued to, at once, and by no other.",
  },
  "revocation.endpoint": {
    source: "RFC 7009 §2",
    behaviour: "Revocation is idempotent, tells a stranger nothing, and asks for the client's proof.",
  },
  "connections.separate": {
    source: "RFC 9700 §4.7",
    behaviour:
      "Each person at Gong has a connection of their own; signing in as another changes no earlier grant.",
  },
  "secrecy.responses": {
    source: "RFC 9700 §4.2, MCP authorization, Token Passthrough",
    behaviour: "No answer holds a secret of anybody but its receiver.",
  },
  "secrecy.storage": {
    source: "RFC 9700 §4.14, OWASP ASVS 11.5",
    behaviour: "No secret is stored in a form that opens anything.",
  },
  "secrecy.logs": {
    source: "OWASP ASVS 16.2.5",
    behaviour: "No secret is logged, whatever goes wrong.",
  },
  "quirks.recordings": {
    source: "MCP authorization, RFC 7591, RFC 6749, test/conformance/clients",
    behaviour:
      "Each client, replayed as it was recorded or documented, gets from its first request to Gong's answer.",
  },
  "quirks.clients": {
    source: "MCP authorization",
    behaviour: "Clients that are in use sign in as they are, with what their makers got wrong.",
  },
  "consent.cookies_bounded": {
    source: "RFC 6265bis §4.1.3, §5.6",
    behaviour: "Sign-ins that were begun are remembered in few, small, well-guarded cookies.",
  },
  "http.paths": {
    source: "RFC 3986 §6.2.2",
    behaviour: "A path has one spelling; others are no other way to the same handler.",
  },
  "authorize.markup": {
    source: "OWASP ASVS 1.2.1",
    behaviour: "What a client says of itself is text on our pages and never markup.",
  },
  "http.calm": {
    source: "OWASP ASVS 2.2.1, 16.5.1",
    behaviour: "Whatever a stranger sends, the answer is a refusal in words of ours, and nothing is kept.",
  },
  "secrecy.upstream": {
    source: "MCP authorization, Token Passthrough",
    behaviour: "Gong is sent none of a client's secrets, and nobody but Gong is sent anything.",
  },
} as const satisfies Record<string, Requirement>;
