// Whether a post comes from a page of ours. Every header that tells must agree: Origin, when it names one, and
// Sec-Fetch-Site, when it is there; and at least one of them must tell. RFC 6749 §10.12, Fetch Metadata.

import type { Context } from "hono";
import type { AppEnv } from "../context.ts";

/** Whether the request provably comes from this origin. */
export function isSameOrigin(c: Context<AppEnv>): boolean {
  const origin = c.req.header("Origin");
  const site = c.req.header("Sec-Fetch-Site");
  const named = origin !== undefined && origin !== "null";
  if (named && origin !== c.get("gateway").config.publicUrl) return false;
  if (site !== undefined && site !== "same-origin") return false;
  return named || site !== undefined;
}
