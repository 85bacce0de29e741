// Sealing of what is kept of paid calls, bound to the deployment, the connection and the call: results, in parts that
// fit a row and each at its place; and arguments.

import type { Keyring } from "../crypto/keyring.ts";
import { open, seal, type SealContext } from "../crypto/seal.ts";

export interface ResultSeals {
  /** The sealed parts of a result's JSON. */
  seal(callId: string, json: string): Promise<readonly string[]>;
  /** The JSON again. Throws Unsealable; a result is never partly opened. */
  open(callId: string, parts: readonly string[]): Promise<string>;
  sealArguments(callId: string, text: string): Promise<string>;
  /** Throws Unsealable. */
  openArguments(callId: string, sealed: string): Promise<string>;
}

/** Characters: sealed and encoded they stay below the two megabytes that a row may hold. */
const LONGEST_PART = 300_000;

/** The seals of the connection `id` in the deployment `environment`. */
export function createResultSeals(keyring: Keyring, environment: string, id: string): ResultSeals {
  const at = (callId: string, part: number): SealContext => ({
    purpose: "paid-result",
    environment,
    object: id,
    field: `result ${callId}`,
    generation: part,
  });
  const ofArguments = (callId: string): SealContext => ({
    purpose: "call-content",
    environment,
    object: id,
    field: `arguments ${callId}`,
    generation: 0,
  });
  return {
    seal: (callId, json) =>
      Promise.all(partsOf(json).map((text, part) => seal(keyring, at(callId, part), text))),
    async open(callId, parts) {
      const texts = await Promise.all(parts.map((sealed, part) => open(keyring, at(callId, part), sealed)));
      return texts.join("");
    },
    sealArguments: (callId, text) => seal(keyring, ofArguments(callId), text),
    openArguments: (callId, sealed) => open(keyring, ofArguments(callId), sealed),
  };
}

/** Cut between characters: half of a surrogate pair is no text that UTF-8 can hold. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length || parts.length === 0;) {
    let end = Math.min(start + LONGEST_PART, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    parts.push(text.slice(start, end));
    start = end;
  }
  return parts;
}
