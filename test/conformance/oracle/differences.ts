// Where the library (@cloudflare/workers-oauth-provider 1.2.3) answers otherwise than the gateway, and why the gateway
// does as it does. The test fails for a difference that is not here, and for one that is here and no longer seen.

export interface Difference {
  /** What came of the check at the library. */
  readonly library: string;
  /** Why the gateway differs. */
  readonly reason: string;
}

const REDIRECT_URI_CODE =
  "RFC 7591 §3.2.2 has an error code of its own for redirect URIs, so that a client can tell which member to mend.";
const STRICTER_URI =
  "RFC 9700 §2.1, RFC 3986 §2: this spelling means one place to a parser and another to a person or a browser.";
const VOUCHED =
  "RFC 9700 §4.11.2: anybody can register, so a link to the gateway must not be a way to any page on the web. Clients that an admin registered get the redirect.";
const CHALLENGE_FORM =
  "RFC 7636 §4.2: an S256 challenge is 43 characters of base64url. No verifier can ever match another one.";
const ONCE = "RFC 6749 §3.1: a parameter must not be repeated, because two readers could take two values.";

function all(names: readonly string[], library: string, reason: string): Record<string, Difference> {
  return Object.fromEntries(names.map((name) => [name, { library, reason }]));
}

const uri = (text: string): string => `registration: redirect URI ${text}`;

/** By the name of the check. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "metadata: GET /.well-known/oauth-protected-resource": {
    library: "404",
    reason: "MCP authorization lets clients look at the root second, and some look nowhere else.",
  },
  ...all(
    [
      "registration: no redirect URI",
      "registration: an empty list of redirect URIs",
      "registration: redirect URIs that are text",
      uri("javascript:alert(1)"),
      uri("data:text/html,x"),
      uri("http://client.example/cb"),
      uri("https://client.example/cb#f"),
      uri("https://user@client.example/cb"),
      uri("ftp://client.example/cb"),
      uri("ws://client.example/cb"),
      uri("/callback"),
    ],
    "400 invalid_client_metadata",
    REDIRECT_URI_CODE,
  ),
  ...all(
    [
      uri("https://client.example/a/../b"),
      uri("https://client.example\\@evil.example/"),
      uri("https://*.client.example/cb"),
      uri(" https://client.example/cb"),
    ],
    "201 none",
    STRICTER_URI,
  ),
  "registration: a software statement": {
    library: "201 none",
    reason: "RFC 7591 §3.2.2: a statement that nobody verifies must not be taken as if somebody had.",
  },
  "registration: no JSON": {
    library: "400 invalid_request",
    reason: "RFC 7591 §3.2.2 has no invalid_request; the metadata is what could not be read.",
  },
  "registration: as a form": {
    library: "201 none",
    reason:
      "RFC 7591 §3.1 asks for application/json; a form's type would let any web page post without a preflight.",
  },
  "authorization: the only redirect URI left out": {
    library: "page",
    reason: "RFC 6749 §3.1.2.3 lets a client with one registered redirect URI leave it out.",
  },
  ...all(
    [
      "authorization: no response type",
      "authorization: no challenge",
      "authorization: the method plain",
      "authorization: no method, which means plain",
    ],
    "redirect invalid_request",
    VOUCHED,
  ),
  "authorization: response type token": { library: "redirect unsupported_response_type", reason: VOUCHED },
  "authorization: another resource": { library: "redirect invalid_target", reason: VOUCHED },
  ...all(
    ["authorization: a challenge of 3 characters", "authorization: a challenge with padding"],
    "consent",
    CHALLENGE_FORM,
  ),
  "authorization: an unknown scope": {
    library: "consent",
    reason: "RFC 6749 §3.3: what cannot be granted is said before a person is asked to approve it.",
  },
  "authorization: a request object": {
    library: "consent",
    reason: "RFC 9101 §6.2: parameters in an object that is not read must not be left out in silence.",
  },
  "authorization: response mode fragment": {
    library: "consent",
    reason: "The answer would go to another place than the client asked for; the metadata lists query alone.",
  },
  ...all(
    [
      "authorization: a second client_id",
      "authorization: a second redirect_uri",
      "authorization: a second state",
      "authorization: a second code_challenge",
    ],
    "consent",
    ONCE,
  ),
  "code: no grant type": {
    library: "400 unsupported_grant_type",
    reason: "RFC 6749 §5.2: a required parameter that is missing is an invalid_request.",
  },
  "code: used twice in a row, and the access token of the first use after that": {
    library: "400 invalid_grant, then 401",
    reason:
      "RFC 6749 §4.1.2 has the tokens revoked when possible, but clients do fire twice. Within 60 s the second use is refused and revokes nothing; after that it ends the grant.",
  },
  "code: redeemed ten times at once, and the winner's access token": {
    library: "no winner, or one who cannot",
    reason: "The same rule: at the library each of the nine losers ends what the winner got.",
  },
  "code: as JSON": {
    library: "400 invalid_request",
    reason: "RFC 9110 §15.5.16: 415 tells a developer that the form's type is what is wrong.",
  },
  ...all(
    ["client: Basic with its client_id in the body, too"],
    "400 invalid_request",
    "RFC 6749 §3.2.1 allows a client_id in the body; FastMCP sends both, and they are equal.",
  ),
  "client: Basic with another client_id in the body": {
    library: "400 invalid_request",
    reason: "RFC 6749 §5.2: two client ids are a client that was not proven, which is invalid_client.",
  },
  "refresh: the answer was lost, so the client asks again": {
    library: "another",
    reason:
      "A second successor would leave one of two copies of the client logged out. The stored answer is given again, within 60 s or while nothing of it was used.",
  },
  "refresh: ten times at once, and the successor after that": {
    library: "several successors, or one that is dead",
    reason: "The same rule: clients with several windows do this, and all of them must go on.",
  },
  "sign-in: a second one of the same client, and the first one's access token": {
    library: "401",
    reason: "People use one client on two machines; a second sign-in must not end the first.",
  },
};
