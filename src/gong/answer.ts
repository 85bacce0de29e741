// Answers from Gong's servers as bounded bytes: how much is read, how long, and how JSON in them is read. Called by
// the other files of this folder, never from outside it. RFC 9110 §10.2.3 for Retry-After.
import type { CustomFetchOptions } from "oauth4webapi";
import { readBounded } from "../bounded-body.ts";
import { GongError, type GongErrorKind } from "../errors.ts";

// The files of this folder take everything about answers from here.
export { parseJsonObject, readBounded } from "../bounded-body.ts";
export type { JsonObject } from "../json.ts";

/** How this Worker names itself at Gong (RFC 9110 §10.1.5). */
export const USER_AGENT = "gong-mcp-gateway";

export interface AnswerBounds {
  /** Decoded bytes of the body. */
  readonly longestBody: number;
  /** For the headers and the whole body together. */
  readonly timeoutMs: number;
}

/**
 * A failure of Gong with a constant reason for a debugger. Foreign errors are never attached: those of oauth4webapi
 * hold the answer, and so its tokens.
 */
export function gongError(
  kind: GongErrorKind,
  reason: string,
  details: { status?: number; retryAfterSeconds?: number } = {},
): GongError {
  return new GongError(kind, { ...details, cause: new Error(reason) });
}

/**
 * Returns a `fetch` for oauth4webapi's `customFetch` that reads the whole body within `bounds` before it returns, so
 * that nobody downstream can be kept waiting or be made to inflate a compressed bomb. Throws GongError: "unavailable"
 * without an answer in time, "malformed" over the size.
 */
export function boundedFetch<Method, Body extends BodyInit | undefined>(
  fetcher: typeof fetch,
  bounds: AnswerBounds,
): (url: string, options: CustomFetchOptions<Method, Body>) => Promise<Response> {
  return async (url, { body, headers, method }) => {
    const signal = AbortSignal.timeout(bounds.timeoutMs);
    const response = await answerOf(fetcher, url, {
      body: body ?? null,
      headers,
      method: String(method),
      redirect: "manual",
      signal,
    });
    const bytes = await readBounded(response, bounds.longestBody, signal).catch(() => {
      throw gongError("unavailable", "The answer broke off.", { status: response.status });
    });
    if (bytes === undefined)
      throw gongError("malformed", "The answer is too long.", { status: response.status });
    return rebuildResponse(response.status, response.headers, bytes);
  };
}

async function answerOf(fetcher: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetcher(url, init);
  } catch {
    // A fetch rejects for the network and for its own timeout only: there is no answer to look at.
    throw gongError("unavailable", "No answer.");
  }
}

function rebuildResponse(status: number, headers: Headers, bytes: Uint8Array<ArrayBuffer>): Response {
  const kept = new Headers();
  for (const name of ["content-type", "retry-after", "www-authenticate"]) {
    const value = headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  return new Response(isBodiless(status) ? null : bytes, { status, headers: kept });
}

/** Whether the Fetch standard forbids a body with this status (Fetch §2.2.3, "null body status"). */
function isBodiless(status: number): boolean {
  return status === 101 || status === 204 || status === 205 || status === 304;
}

const LONGEST_RETRY_AFTER_SECONDS = 3600;
/** RFC 9110 §5.6.7: today's form of a date, and the two obsolete ones that a recipient has to accept. */
const HTTP_DATE = /^[A-Z][a-z]+,? [\w -]+ \d\d:\d\d:\d\d (GMT|\d{4})$/;

/**
 * Reads Retry-After, in seconds or as an HTTP date, as whole seconds from `now` (epoch seconds), between 0 and 3600.
 * Undefined for anything else. RFC 9110 §10.2.3.
 */
export function parseRetryAfter(value: string | null | undefined, now: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const seconds = /^\d+$/.test(value)
    ? Number(value)
    : HTTP_DATE.test(value)
      ? Math.ceil(Date.parse(value) / 1000) - now
      : Number.NaN;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER_SECONDS);
}
