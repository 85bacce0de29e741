// What a person reads when a client's metadata document can't be used. A closed list, so that the page never says more
// about a host than its document; what a network reported stays unsaid. Client ID Metadata Document draft §8.

import type { ClientDocumentProblem } from "../errors.ts";

const MAKERS_TURN =
  "Nothing was connected. Only the maker of the app can change this document: tell them what this page says.";
const LATER = "Nothing was connected. Wait a minute and connect again in your app.";

const NOT_FETCHED =
  "The gateway could not get this document. Its address must answer a plain GET from the internet within 5 seconds, with status 200 and without a redirect.";

const TEXTS: Record<ClientDocumentProblem, { readonly text: string; readonly hint: string }> = {
  address_refused: {
    text: "The gateway does not fetch this address. A client ID of this kind must be an https URL in lower case with a path, on a public host name, without port, user name, fragment or dot segments.",
    hint: MAKERS_TURN,
  },
  host_not_allowed: {
    text: "This gateway takes listed apps only, and the host of this document is not on its list.",
    hint: "Nothing was connected. Ask your admin to allow the host.",
  },
  too_many_fetches: { text: "The gateway has asked this host often enough for one minute.", hint: LATER },
  unreachable: { text: NOT_FETCHED, hint: LATER },
  absent: { text: NOT_FETCHED, hint: LATER },
  too_long: { text: "The document is longer than it may be (5 kilobytes).", hint: MAKERS_TURN },
  not_json: {
    text: "The document is not one JSON object served as application/json.",
    hint: MAKERS_TURN,
  },
  other_client_id: {
    text: "The client_id in the document is not the address it was fetched from, character for character.",
    hint: MAKERS_TURN,
  },
  name_refused: { text: "The document gives no client_name that can be shown.", hint: MAKERS_TURN },
  redirect_uris_refused: {
    text: "The redirect_uris in the document are missing, more than 10, or one of them is not https or on this computer.",
    hint: MAKERS_TURN,
  },
  flow_refused: {
    text: "The document does not list the grant type authorization_code with the response type code.",
    hint: MAKERS_TURN,
  },
  secret_refused: {
    text: "The document contains or asks for a shared secret, but anyone can read it.",
    hint: MAKERS_TURN,
  },
  method_refused: {
    text: "The document must name none or private_key_jwt (RS256, PS256, ES256 or EdDSA) as its way to authenticate.",
    hint: MAKERS_TURN,
  },
  keys_refused: {
    text: "The document must give its public keys in jwks or in jwks_uri, not in both: at most 20, each RSA of 2048 to 4096 bits, P-256 or Ed25519.",
    hint: MAKERS_TURN,
  },
};

/** The words for a problem with a client's document. */
export const documentText = (problem: ClientDocumentProblem) => ({
  title: "This app's document can't be used",
  ...TEXTS[problem],
});
