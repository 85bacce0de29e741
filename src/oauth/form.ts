// Parameters in application/x-www-form-urlencoded, from bodies and query strings, read strictly: what two readers could
// understand differently is refused. Called by authorization-request.ts, client-authentication.ts and the routes that
// take forms. RFC 6749 §3.1, §3.2 and Appendix B.
import { OAuthError } from "../errors.ts";

/** The parameters of one request. Names are looked up in a map, so `__proto__` is a name like any other. */
export interface FormParameters {
  /** The value, or undefined when the parameter is absent or empty: RFC 6749 §3.1 treats both as omitted. */
  get(name: string): string | undefined;
  /** Every value that is not empty, in order; more than one only for `resource`. */
  all(name: string): readonly string[];
  /** Whether the parameter has a value. */
  has(name: string): boolean;
}

/** Upper bounds, all inclusive; lengths in characters. */
export interface FormLimits {
  /** Of the whole text, as sent. */
  readonly totalLength: number;
  /** How many parameters. */
  readonly parameters: number;
  /** Of one name or value, decoded. */
  readonly valueLength: number;
}

const FORM_LIMITS: FormLimits = { totalLength: 65_536, parameters: 40, valueLength: 16_384 };

/** RFC 8707 §2: the one parameter that a request may repeat. */
const REPEATABLE = "resource";

// Serializers percent-encode everything else, so a character outside is a body in another charset or bytes that were
// not UTF-8 and have been replaced on the way.
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Reads parameters from a form body, or from a query string without its `?` (RFC 6749 §3.1, §3.2, Appendix B).
 * Refuses with `invalid_request`: a parameter sent twice (except `resource`), percent-encoding or UTF-8 that is not
 * valid, characters that are not printable ASCII, and anything over `limits`.
 */
export function parseForm(body: string, limits: FormLimits = FORM_LIMITS): FormParameters {
  if (body.length > limits.totalLength) throw refused("Send a shorter request.", "request_too_long");
  if (!PRINTABLE_ASCII.test(body)) throw refused(BAD_ENCODING, "bad_encoding");
  const pairs = body.split("&").filter((pair) => pair !== "");
  if (pairs.length > limits.parameters) throw refused("Send fewer parameters.", "too_many_parameters");

  const values = new Map<string, string[]>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const name = decoded(equals === -1 ? pair : pair.slice(0, equals), limits);
    const value = equals === -1 ? "" : decoded(pair.slice(equals + 1), limits);
    const seen = values.get(name);
    if (seen !== undefined && name !== REPEATABLE) {
      throw refused("Send each parameter once.", "repeated_parameter");
    }
    const kept = seen ?? [];
    if (value !== "") kept.push(value);
    values.set(name, kept);
  }
  return {
    get: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
    has: (name) => (values.get(name)?.length ?? 0) > 0,
  };
}

/**
 * The text that a form-encoded `text` stands for (RFC 6749 Appendix B), or undefined when its percent-encoding or its
 * UTF-8 is not valid.
 */
export function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // decodeURIComponent throws for nothing but malformed input; each caller refuses it in its own channel.
    return undefined;
  }
}

const BAD_ENCODING = "Send parameters as application/x-www-form-urlencoded UTF-8.";

function decoded(text: string, limits: FormLimits): string {
  const plain = formDecode(text);
  if (plain === undefined) throw refused(BAD_ENCODING, "bad_encoding");
  if (plain.length > limits.valueLength) throw refused("Send shorter parameters.", "parameter_too_long");
  return plain;
}

function refused(description: string, reason: string): OAuthError {
  return new OAuthError("invalid_request", description, { reason });
}
