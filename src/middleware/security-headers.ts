// Security headers on every answer of the router: strict for pages, plain for JSON. Pages load nothing from anywhere
// but their own inline style and script, can't be framed, and post only to this origin; that last rule is why approving
// answers with a page that leads on, since browsers apply form-action to every redirect that follows a post.

import type { MiddlewareHandler } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "../context.ts";

const ONE_YEAR = "max-age=31536000; includeSubDomains";

/**
 * For pages. `isolated`, for those behind a session, has nobody store them and cuts the tie to an opener; sign-in pages
 * keep it, or clients that use pop-ups break.
 */
export const pageHeaders = (options: { isolated: boolean }): MiddlewareHandler<AppEnv> => {
  const secure = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: [NONCE],
      scriptSrc: [NONCE],
      imgSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    strictTransportSecurity: ONE_YEAR,
    xFrameOptions: "DENY",
    referrerPolicy: false,
    crossOriginResourcePolicy: "same-origin",
    crossOriginOpenerPolicy: options.isolated ? "same-origin" : false,
    permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
  });
  return async function pageHeaders(c, next) {
    // A form page must send its Origin; `no-referrer` would turn it into `null`. Set ahead of the route, because those
    // that carry a code are stricter.
    c.header("Referrer-Policy", "same-origin");
    await secure(c, next);
    // A Response that a route made by itself, such as a download, comes without it.
    if (!c.res.headers.has("Referrer-Policy")) c.header("Referrer-Policy", "same-origin");
    if (options.isolated) c.header("Cache-Control", "no-store");
  };
};

/** For JSON endpoints, which browser-based clients of other origins read. */
export const jsonHeaders = (): MiddlewareHandler<AppEnv> =>
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    strictTransportSecurity: ONE_YEAR,
    xFrameOptions: "DENY",
    referrerPolicy: "no-referrer",
    crossOriginResourcePolicy: "cross-origin",
    crossOriginOpenerPolicy: false,
  });
