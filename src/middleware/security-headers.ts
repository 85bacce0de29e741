// Security headers on every answer of the router: strict for pages, plain for JSON. Pages load nothing from anywhere
// but their own inline style and script, can't be framed, and post only to this origin; that last rule is why approving
// answers with a page that leads on, since browsers apply form-action to every redirect that follows a post.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";

type Headers = Readonly<Record<string, string>>;

const EVERY_ANSWER: Headers = {
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Permitted-Cross-Domain-Policies": "none",
  "Origin-Agent-Cluster": "?1",
};

const PAGE: Headers = {
  ...EVERY_ANSWER,
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

const JSON_ANSWER: Headers = {
  ...EVERY_ANSWER,
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Referrer-Policy": "no-referrer",
};

/** CSP Level 3: what a page may load, with the nonce of its own style and script. */
const pagePolicy = (nonce: string) =>
  `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; img-src 'self'; base-uri 'none'; ` +
  "form-action 'self'; frame-ancestors 'none'";

/** For pages. `isolated` cuts the tie to an opener; sign-in pages keep it, or clients that use pop-ups break. */
export const pageHeaders = (options: { isolated: boolean }): MiddlewareHandler<AppEnv> => {
  const page = options.isolated ? { ...PAGE, "Cross-Origin-Opener-Policy": "same-origin" } : PAGE;
  return async function pageHeaders(c, next) {
    const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
    c.set("secureHeadersNonce", nonce);
    await next();
    setHeaders(c.res, { ...page, "Content-Security-Policy": pagePolicy(nonce) });
    // A form page must send its Origin; `no-referrer` would turn it into `null`. Routes that carry a code are stricter.
    if (!c.res.headers.has("Referrer-Policy")) c.res.headers.set("Referrer-Policy", "same-origin");
  };
};

/** For JSON endpoints, which browser-based clients of other origins read. */
export const jsonHeaders = (): MiddlewareHandler<AppEnv> =>
  async function jsonHeaders(c, next) {
    await next();
    setHeaders(c.res, JSON_ANSWER);
  };

function setHeaders(answer: Response, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
}
