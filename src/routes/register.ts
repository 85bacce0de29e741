// POST /register: dynamic client registration, RFC 7591 §3. Open by policy; the consent page says who vouches for whom.

import { newRoutes } from "../context.ts";
import { registerClient } from "../domain/clients.ts";
import { OAuthError } from "../errors.ts";
import { JsonRefused, parseStrictJson } from "../json.ts";
import { traced } from "../middleware/attempts.ts";
import { readBody } from "../middleware/body.ts";
import { addressRate } from "../middleware/address-rate.ts";

const LONGEST_METADATA = 32_768;
const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

export const register = newRoutes()
  .post("/register", traced("registration"), addressRate("REGISTRATION_RATE", "registration"), async (c) => {
    if (!JSON_TYPE.test(c.req.header("Content-Type") ?? "")) {
      throw new OAuthError("invalid_client_metadata", "Send the metadata as application/json.", {
        status: 415,
      });
    }
    const metadata = parseMetadata(await readBody(c.req.raw, LONGEST_METADATA));
    const document = await registerClient(c.get("gateway"), metadata);
    return c.json(document, 201, { "cache-control": "no-store", pragma: "no-cache" });
  })
  .all("/register", (c) =>
    c.json({ error: "invalid_request", error_description: "Use POST." }, 405, { allow: "POST" }),
  );

function parseMetadata(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    // TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    if (!(error instanceof JsonRefused || error instanceof TypeError)) throw error;
    throw new OAuthError("invalid_client_metadata", "Send one JSON object, without repeated keys.", {
      cause: error,
    });
  }
}
