// POST /token and POST /revoke: RFC 6749 §3.2, RFC 7009 §2. JSON in every case; nothing is read from the URL.

import { newRoutes } from "../context.ts";
import { exchangeToken } from "../domain/exchange-token.ts";
import { revokeToken } from "../domain/revoke-token.ts";
import { OAuthError } from "../errors.ts";
import { traced } from "../middleware/attempts.ts";
import { readForm } from "../middleware/body.ts";

const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };

export const token = newRoutes()
  .post("/token", traced("token"), async (c) => {
    assertNoQuery(c.req.url);
    const form = await readForm(c.req.raw);
    const response = await exchangeToken(c.get("gateway"), c.req.header("Authorization"), form);
    return c.json(response, 200, NO_STORE);
  })
  .post("/revoke", async (c) => {
    assertNoQuery(c.req.url);
    const form = await readForm(c.req.raw);
    await revokeToken(c.get("gateway"), c.req.header("Authorization"), form);
    return c.body(null, 200, NO_STORE);
  })
  .all("/token", () => onlyPost())
  .all("/revoke", () => onlyPost());

/** Credentials in a URL end up in logs: RFC 9700 §4.3.2. */
function assertNoQuery(url: string): void {
  if (url.includes("?"))
    throw new OAuthError("invalid_request", "Send the parameters in the body, not the URL.");
}

function onlyPost(): Response {
  return Response.json(
    { error: "invalid_request", error_description: "Use POST." },
    { status: 405, headers: { allow: "POST", ...NO_STORE } },
  );
}
