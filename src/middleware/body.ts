// Request bodies, read once, within a size and a time. Nothing reads a body but these two.

import { readBounded } from "../bounded-body.ts";
import { inTime } from "../clock.ts";
import type { Limit } from "../domain/call-timer.ts";
import { OAuthError, type ErrorStatus } from "../errors.ts";
import { parseForm, type FormParameters } from "../oauth/form.ts";

const LONGEST_UPLOAD_MS = 30_000;
const LONGEST_FORM = 65_536;
const FORM = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * Reads at most `longest` bytes. Throws OAuthError `invalid_request` with status 413 for more, 408 when the upload
 * takes longer than `limit`, by default 30 seconds, 400 when it breaks off, and 415 for an encoded body, which could
 * grow without bound.
 */
export async function readBody(
  request: Request,
  longest: number,
  limit: Limit = (reading) => inTime(reading, LONGEST_UPLOAD_MS),
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity")
    throw refused(415, "Send the body without a content encoding.");
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > longest) throw refused(413, "Send a smaller body.");
  // With a length the runtime frames the body by it and reads it in
  // one go; without one, bytes are counted as they come.
  const reading = declared === null ? collect(request, longest) : collectWhole(request);
  try {
    const body = await limit(reading);
    if (body === undefined) throw refused(408, "Send the body faster.");
    return body;
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    throw new OAuthError("invalid_request", "Send the whole body.", { reason: "body_broke_off" });
  }
}

/** Reads a form post: RFC 6749 §3.2, urlencoded UTF-8 with no parameter twice. */
export async function readForm(request: Request): Promise<FormParameters> {
  if (!FORM.test(request.headers.get("content-type") ?? "")) {
    throw refused(415, "Send the parameters as application/x-www-form-urlencoded.");
  }
  const bytes = await readBody(request, LONGEST_FORM);
  try {
    return parseForm(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    throw new OAuthError("invalid_request", "Send the parameters in UTF-8.", { reason: "not_utf8" });
  }
}

async function collectWhole(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await request.arrayBuffer());
}

async function collect(request: Request, longest: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBounded(request, longest);
  if (bytes === undefined) throw refused(413, "Send a smaller body.");
  return bytes;
}

function refused(status: ErrorStatus, description: string): OAuthError {
  return new OAuthError("invalid_request", description, { status });
}
