import type { Requirement } from "../requirement.ts";

export const authorizationServer = {
  "authorize.parameters": {
    source: "RFC 6749 §3.1, RFC 8707 §2",
    behaviour: "Authorization parameters come once each, bounded and well encoded; only resource may repeat.",
  },
  "authorize.redirect_uri": {
    source: "RFC 6749 §3.1.2.3, RFC 8252 §7.3, RFC 9700 §2.1",
    behaviour: "A redirect URI must be registered, compared exactly but for the port of a loopback one.",
  },
  "authorize.request": {
    source: "RFC 6749 §4.1.1, RFC 9101 §6.2",
    behaviour: "Only code requests with query answers are validated; request objects are refused.",
  },
  "authorize.sealed_request": {
    source: "gateway",
    behaviour: "A validated request can be revived from what the gateway sealed, and from nothing else.",
  },
  "authorize.response": {
    source: "RFC 6749 §4.1.2, RFC 9207 §2",
    behaviour: "The code goes back with the client's state, unchanged, and our issuer.",
  },
  "authorize.error_response": {
    source: "RFC 6749 §4.1.2.1, RFC 9207 §2",
    behaviour: "An error goes back with our words, the client's state and our issuer, and with nothing else.",
  },
  "pkce.required": {
    source: "RFC 7636 §4.4.1, OAuth 2.1 §4.1.1",
    behaviour: "An authorization request without an S256 challenge is refused.",
  },
  "pkce.s256": {
    source: "RFC 7636 §4.1, §4.2, Appendix B",
    behaviour: "Verifiers and challenges have the form of the RFC and are compared through SHA-256.",
  },
  "bearer.header": {
    source: "RFC 6750 §2.1",
    behaviour: "A bearer token is read from the Authorization header, one token68 and nothing around it.",
  },
  "bearer.challenge": {
    source: "RFC 6750 §3, RFC 9728 §5.1",
    behaviour: "A challenge names the resource metadata, and an error only when a token was presented.",
  },
  "client_authentication.one_method": {
    source: "RFC 6749 §2.3, §3.2.1",
    behaviour: "A client authenticates by exactly one method, well formed, or is refused.",
  },
  "client_authentication.registered_method": {
    source: "RFC 7591 §2, RFC 6749 §5.2",
    behaviour: "A client proves itself by the method it registered, with its own secret.",
  },
  "registration.metadata": {
    source: "RFC 7591 §2",
    behaviour: "Registration takes the metadata we serve, with its defaults, and drops the rest.",
  },
  "address.rate": {
    source: "RFC 6585 §4, RFC 8628 §5.1",
    behaviour:
      "One address, or IPv6 /64, takes each step of a sign-in, or an act on /account, 60 times a minute; for more it gets 429 and Retry-After: a page for people, OAuth's JSON for devices.",
  },
  "registration.rate": {
    source: "RFC 7591 §5, RFC 6585 §4",
    behaviour:
      "One address, or IPv6 /64, registers 30 clients a minute; for more it gets 429 and Retry-After.",
  },
  "registration.refused": {
    source: "RFC 7591 §3.2.2",
    behaviour: "Metadata that we can't serve is refused with the code of the RFC and no word of the body.",
  },
  "registration.answer": {
    source: "RFC 7591 §3.2.1",
    behaviour: "The answer says what was registered, and a secret only to a confidential client.",
  },
  "registration.redirect_uris": {
    source: "RFC 6749 §3.1.2, RFC 8252 §7, RFC 7591 §5",
    behaviour: "https, loopback http and private-use schemes may be registered; dangerous schemes never.",
  },
  "registration.display_name": {
    source: "RFC 7591 §5",
    behaviour: "A client's name is shown short and without characters that deceive.",
  },
  "token.form": {
    source: "RFC 6749 §3.2, Appendix B",
    behaviour: "A form body is read strictly: no repeats, no broken encoding, within its bounds.",
  },
  "token.request": {
    source: "RFC 6749 §4.1.3, §5.2, §6",
    behaviour: "A token request names a grant type we serve and all that it needs.",
  },
  "token.code_redemption": {
    source: "RFC 6749 §4.1.2, §4.1.3, RFC 7636 §4.6",
    behaviour: "What a presented code does depends on client, verifier, time and earlier use alone.",
  },
  "token.rotation": {
    source: "RFC 6749 §6, RFC 9700 §4.14.2",
    behaviour:
      "What a presented refresh token does depends on client, generation, time and use of its successor.",
  },
  "resource.indicators": {
    source: "RFC 8707 §2",
    behaviour: "A request is for one of our resources, in any spelling of its URL, or is invalid_target.",
  },
  "scope.subset": {
    source: "RFC 6749 §3.3, §6",
    behaviour: "Scope is a list of known tokens, and a refresh never gets more than was granted.",
  },
  "metadata.authorization_server": {
    source: "RFC 8414 §2, RFC 9207 §3",
    behaviour: "The authorization server's metadata says what is served and nothing else.",
  },
  "metadata.protected_resource": {
    source: "RFC 9728 §2",
    behaviour: "Each resource's metadata names it, its scopes and its authorization server.",
  },
  "json.strict": {
    source: "RFC 8259 §4, OWASP ASVS 15.3.6",
    behaviour: "JSON that two readers could read differently is refused.",
  },
  "client_document.flow": {
    source: "MCP authorization, Client ID Metadata Documents",
    behaviour:
      "A client whose id is the URL of its metadata document signs in and uses tokens like any other.",
  },
  "client_document.consent": {
    source: "MCP authorization, Client ID Metadata Document Security",
    behaviour: "The consent page shows the host that vouches for a client, and warns where none can.",
  },
  "client_document.change": {
    source: "Client ID Metadata Document draft §7",
    behaviour: "A redirect URI that left the document before the person approved is not used.",
  },
  "client_document.known_copy": {
    source: "gateway",
    behaviour: "Clients known to publish where servers can't fetch work from a copy, and no others do.",
  },
  "client_document.address": {
    source: "Client ID Metadata Document draft §3",
    behaviour: "Only a public https URL in one spelling is a client id that is fetched.",
  },
  "client_document.content": {
    source: "Client ID Metadata Document draft §4, RFC 7591 §2",
    behaviour: "A document names itself, a client, its redirect URIs and methods without shared secrets.",
  },
  "client_document.fetch": {
    source: "Client ID Metadata Document draft §4, §8",
    behaviour: "A document is fetched without redirects or credentials, bounded in bytes and seconds.",
  },
  "client_document.cache": {
    source: "Client ID Metadata Document draft §4.2, RFC 9111 §4.2",
    behaviour:
      "Documents are kept by their headers within bounds, errors are not, and hosts are not flooded.",
  },
  "client_document.problem_page": {
    source: "gateway",
    behaviour: "A document that can't be used is a page that names it and says why from a closed list.",
  },
  "client_assertion.claims": {
    source: "RFC 7523 §3, RFC 8725 §3",
    behaviour: "An assertion is for us, by the client, short lived, with an id, and points to no other key.",
  },
  "client_assertion.keys": {
    source: "RFC 7517 §4, §5, RFC 7518 §6",
    behaviour: "Only public keys of safe sizes are taken, few of them, and the one named is used.",
  },
  "client_assertion.single_use": {
    source: "RFC 7523 §3 item 7",
    behaviour: "A client assertion authenticates once, whoever presents it how often at the same time.",
  },
} as const satisfies Record<string, Requirement>;
