// JSON from outside, read strictly. A second reader of the same bytes (Gong's server, a log, a policy) must never see
// another message than we did, so whatever readers disagree on is refused: duplicate keys, and keys that JavaScript
// treats specially. RFC 8259 §4 calls behaviour on duplicate names unpredictable.

/** Why a JSON text was refused; `reason` is a constant, safe to show. */
export class JsonRefused extends Error {
  readonly reason: "not_json" | "duplicate_key" | "forbidden_key" | "too_deep";

  constructor(reason: JsonRefused["reason"]) {
    super(`JSON refused: ${reason}`);
    this.name = "JsonRefused";
    this.reason = reason;
  }
}

const DEEPEST = 64;

/**
 * Parses `text`. Throws JsonRefused when it is not JSON, nests deeper than `deepest` levels, or when any object in it
 * repeats a key or has the key `__proto__`.
 */
export function parseStrictJson(text: string, deepest: number = DEEPEST): unknown {
  assertKeys(text, deepest);
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonRefused("not_json");
  }
}

/** One pass over the text: strings are skipped, keys are collected per object. Well-formedness is JSON.parse's part. */
function assertKeys(text: string, deepest: number): void {
  // One entry per open bracket: the keys seen so far in an object, undefined for an array.
  const open: Array<Set<string> | undefined> = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) assertNewKey(keys, text.slice(at, end + 1));
      at = end;
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      open.push(character === OPEN_BRACE ? new Set() : undefined);
      if (open.length > deepest) throw new JsonRefused("too_deep");
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) {
      open.pop();
    }
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === BACKSLASH) at += 1;
    else if (character === QUOTE) return at;
  }
  throw new JsonRefused("not_json");
}

/** A string is a key when the next character that is not white space is a colon. */
function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === COLON;
}

function assertNewKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes("\\") ? unescape(quoted) : quoted.slice(1, -1);
  if (key === "__proto__") throw new JsonRefused("forbidden_key");
  if (keys.has(key)) throw new JsonRefused("duplicate_key");
  keys.add(key);
}

function unescape(quoted: string): string {
  try {
    const key: unknown = JSON.parse(quoted);
    if (typeof key === "string") return key;
  } catch {
    // Refused below, as every string that is not JSON.
  }
  throw new JsonRefused("not_json");
}

/** A JSON object: not null, not an array. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a JSON array as parseStrictJson does; undefined for everything else. */
export function parseStrictArray(text: string): readonly unknown[] | undefined {
  try {
    const value = parseStrictJson(text);
    return Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

declare global {
  // ECMAScript 2026, "JSON.parse source text access"; TypeScript's libraries do not have it yet.
  interface JSON {
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/**
 * Parses JSON so that JSON.stringify gives every number back as it was spelt, also those that JavaScript can't hold
 * (2^53 + 1, 1.50). Such a number is opaque meanwhile. Throws SyntaxError for text that is not JSON.
 */
export function parseKeepingNumbers(text: string): unknown {
  return JSON.parse(text, (_, value, { source }) => {
    if (typeof value !== "number" || source === undefined || String(value) === source) return value;
    return JSON.rawJSON(source);
  });
}
