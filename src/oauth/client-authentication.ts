// How a client proves itself at the token and revocation endpoints. Called by domain before anything that the request
// names is looked at. RFC 6749 §2.3 and §5.2, RFC 7521 §4.2, RFC 7617.
import { OAuthError } from "../errors.ts";
import { ASSERTION_TYPE } from "./client-assertion.ts";
import { mayAuthenticateBy, type Client } from "./client.ts";
import { hashesMatch, sha256Base64url } from "./digest.ts";
import { formDecode, type FormParameters } from "./form.ts";
import { invalidClient } from "./invalid-client.ts";

/** A client id with a secret or without one. */
export interface PresentedSecret {
  readonly method: "none" | "client_secret_basic" | "client_secret_post";
  readonly clientId: string;
  /** Undefined exactly when `method` is `none`. */
  readonly clientSecret: string | undefined;
}

/** A JWT that the client signed (RFC 7523 §2.2). */
export interface PresentedAssertion {
  readonly method: "private_key_jwt";
  /** RFC 7521 §4.2: may be left out, because the assertion names the client. */
  readonly clientId: string | undefined;
  readonly assertion: string;
}

/** What a request presents, before it is compared with the client's registration. */
export type PresentedCredentials = PresentedSecret | PresentedAssertion;

const BASIC = /^basic +([a-z0-9+/]+={0,2})$/i;
const LONGEST_CREDENTIALS = 8_192;
/** RFC 6749 Appendix A.1: the characters of a client id. */
const CLIENT_ID = /^[\x20-\x7e]{1,2048}$/;
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Reads the credentials of a request from its `Authorization` header or its form (RFC 6749 §2.3.1). HTTP Basic may come
 * together with an equal `client_id` in the form. Refuses with `invalid_request` a secret in both places, or one beside
 * an assertion (RFC 6749 §5.2: more than one mechanism), and with `invalid_client` everything else that is not one
 * whole set of credentials: a malformed header, another scheme, another client id in the form, half of an assertion or
 * one of another type (RFC 7521 §4.2), or no client id.
 */
export function presentedCredentials(
  authorization: string | undefined,
  form: FormParameters,
): PresentedCredentials {
  if (form.has("client_assertion") || form.has("client_assertion_type")) {
    return presentedAssertion(authorization, form);
  }
  if (authorization !== undefined) return basicCredentials(authorization, form);
  const clientId = form.get("client_id");
  if (clientId === undefined || !CLIENT_ID.test(clientId)) throw invalidClient("client_id_malformed");
  const clientSecret = form.get("client_secret");
  return { method: clientSecret === undefined ? "none" : "client_secret_post", clientId, clientSecret };
}

/**
 * Throws `invalid_client` unless the presented credentials are this client's: the same client id, a method it
 * registered (RFC 6749 §2.3, RFC 7591 §2), and for a secret the same hash, compared in constant time.
 * `secretHash` is `hashClientSecret(presented.clientSecret)`, or undefined when no secret was presented.
 */
export function assertClientAuthenticated(
  client: Client,
  presented: PresentedSecret,
  secretHash: string | undefined,
): void {
  if (presented.clientId !== client.clientId) throw invalidClient("wrong_client_id");
  if (!mayAuthenticateBy(client, presented.method)) throw invalidClient("wrong_method");
  if (presented.method === "none") return;
  if (client.clientSecretHash === undefined || secretHash === undefined)
    throw invalidClient("secret_missing");
  if (!hashesMatch(client.clientSecretHash, secretHash)) throw invalidClient("wrong_secret");
}

/** The form in which a client secret is kept: base64url SHA-256. Secrets are 256 random bits, so no slow hash. */
export function hashClientSecret(secret: string): Promise<string> {
  return sha256Base64url(secret);
}

function presentedAssertion(authorization: string | undefined, form: FormParameters): PresentedAssertion {
  if (authorization !== undefined || form.has("client_secret")) throw severalMechanisms();
  const assertion = form.get("client_assertion");
  if (assertion === undefined || form.get("client_assertion_type") !== ASSERTION_TYPE) {
    throw invalidClient("assertion_unsupported");
  }
  return { method: "private_key_jwt", clientId: form.get("client_id"), assertion };
}

function basicCredentials(authorization: string, form: FormParameters): PresentedSecret {
  const encoded = authorization.length > LONGEST_CREDENTIALS ? undefined : BASIC.exec(authorization)?.[1];
  const userPass = encoded === undefined ? undefined : utf8FromBase64(encoded);
  const colon = userPass?.indexOf(":") ?? -1;
  if (userPass === undefined || colon === -1) throw invalidClient("basic_malformed");

  // RFC 6749 §2.3.1: each part is form-encoded before they are joined.
  const clientId = formDecode(userPass.slice(0, colon));
  const clientSecret = formDecode(userPass.slice(colon + 1));
  if (clientId === undefined || !CLIENT_ID.test(clientId)) throw invalidClient("basic_malformed");
  if (clientSecret === undefined || clientSecret === "") throw invalidClient("basic_malformed");
  if (CONTROL_CHARACTER.test(clientSecret)) throw invalidClient("basic_malformed");

  if (form.has("client_secret")) throw severalMechanisms();
  if ((form.get("client_id") ?? clientId) !== clientId) throw invalidClient("client_id_mismatch");
  return { method: "client_secret_basic", clientId, clientSecret };
}

function utf8FromBase64(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not base64, or not UTF-8: the caller refuses it as malformed.
    return undefined;
  }
}

function severalMechanisms(): OAuthError {
  return new OAuthError("invalid_request", "Authenticate the client in one way, in one place only.", {
    reason: "several_mechanisms",
  });
}
