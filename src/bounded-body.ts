// Bodies from outside as bounded bytes, and JSON objects in them read strictly. Called by gong/ for Gong's answers, by
// domain/ for documents of MCP clients, and by middleware/body for requests.

import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "./json.ts";

/**
 * Reads a body of at most `longest` decoded bytes and returns it, or undefined when there are more; the rest is not
 * read. Throws when the body breaks off or `signal` fires first.
 */
export async function readBounded(
  message: Pick<Response | Request, "body">,
  longest: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (message.body === null) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = message.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", stop, { once: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // A cancelled read looks like the end of the body.
      signal?.throwIfAborted();
      if (done) return concatenate(chunks, length);
      length += value.byteLength;
      if (length > longest) {
        stop();
        return undefined;
      }
      chunks.push(value);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Parses bytes as one JSON object, strictly; undefined for anything else, repeated keys and broken UTF-8 included. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value = parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    // TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    if (error instanceof JsonRefused || error instanceof TypeError) return undefined;
    throw error;
  }
}
